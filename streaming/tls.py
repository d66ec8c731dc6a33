"""TLS for whoever comes from another machine; this machine's own programs speak in the clear over loopback.

asyncio's own TLS server counts nobody before the handshake is over, and waits a minute for it: strangers could hold
every descriptor. Here a connection counts from its first moment, and has as long for its handshake as for a head.
"""

import asyncio
import os
import socket
import ssl
from pathlib import Path
from typing import Any

import structlog
from uvicorn.protocols.utils import get_remote_addr

from streaming.journal import Journal
from streaming.outward import is_loopback
from streaming.watched import WatchedFiles

log = structlog.get_logger()

HANDSHAKE_SECONDS = 10.0


class Certificate:
    """A server's certificate, loaded again when its files change."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        self._files = certificate, key
        self._watched = WatchedFiles(certificate, key)
        self._context = load_certificate(certificate, key)

    @property
    def context(self) -> ssl.SSLContext:
        """Return what handshakes are made with; files that do not fit leave it as it was."""
        if self._watched.changed():
            try:
                self._context = load_certificate(*self._files)
                log.info("the certificate was loaded again")
            except ValueError as error:
                log.error("the certificate stays as it was", fault=str(error))
        return self._context


def load_certificate(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Return a server's TLS, 1.2 or newer; raises ValueError for files that are none of a certificate and its key."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password="")  # nobody is there to be asked for one
    except (OSError, ValueError) as error:
        fault = f"{certificate}{f' and {key}' if key else ''} are no certificate and its key, in PEM without a password"
        raise ValueError(f"{fault}: {getattr(error, 'strerror', None) or error}") from error
    return context


class Handshake(asyncio.Protocol):
    """A connection until it is known to be secured or of this machine; then it is its `inner` protocol's."""

    inner: Any  # of uvicorn
    certificate: Certificate
    most: int  # connections at once
    journal = Journal()
    waiting = 0  # handshakes

    def __init__(self, **given: Any) -> None:
        self._connections = given["server_state"].connections
        self._inner = type(self).inner(**given)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a connection too many ends at once."""
        address = (get_remote_addr(transport) or ("",))[0]
        if is_loopback(address):
            transport.set_protocol(self._inner)
            self._inner.connection_made(transport)
            return
        if type(self).waiting + len(self._connections) < self.most:
            # This transport has read nothing yet. The connection goes on in another, which begins with the handshake.
            again = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
            self._task = asyncio.get_running_loop().create_task(self._secure(again, address))
            type(self).waiting += 1
        transport.abort()

    async def _secure(self, connection: socket.socket, address: str) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._inner,
                connection,
                ssl=self.certificate.context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=HANDSHAKE_SECONDS,
            )
        except OSError as error:  # ssl.SSLError and TimeoutError are such
            self.journal.tell("refused", kind="tls-handshake", address=address, error=type(error).__name__)
        finally:
            type(self).waiting -= 1
