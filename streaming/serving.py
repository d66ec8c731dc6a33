"""HTTP servers that a stranger on this machine cannot stop: bounded heads, times and connections, hosts of ours only.

uvicorn collects a request's head, however long, before anybody sees it, and waits for it as long as it takes.  Every
HTTP server of the house is made here instead.
"""

import asyncio
import ipaddress
import resource
import socket
from collections.abc import Collection
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog
import uvicorn
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from streaming.journal import Journal
from streaming.policies import STRICT, strictly
from streaming.settings import LOOPBACK
from streaming.tls import Certificate, Handshake

log = structlog.get_logger()

HEAD_BYTES = 64 * 1024  # of a request line and its headers; and between two pieces of a chunked body
HEAD_SECONDS = 10.0  # from a connection's or a request's first moment to the end of its head
BODY_BYTES = 16 * 1024 * 1024
BODY_SECONDS = 60.0  # from there to the end of its body
DESCRIPTORS = 65_536  # what the soft limit is raised to, as far as the hard one allows
_SPARE_DESCRIPTORS = 128  # for files, other servers and listeners
_SLICE = 16 * 1024  # that much more may come of a head before it is seen to be too long
# Linux: a peer that acknowledges nothing, or lets nothing in, for so long is gone. Without it a close that waits
# behind unsent bytes would wait for the kernel's quarter of an hour.
_UNHEARD_MILLISECONDS = 12_000
_LINGER_SECONDS = 1.0  # a peer that still sends reads the answer first: a close at once would reset it away
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_REFUSAL = "".join(
    f"{name}: {value}\r\n" for name, value in {"Content-Type": "text/plain; charset=utf-8", **STRICT}.items()
)


class Bounded(HttpToolsProtocol):
    """One connection, as uvicorn serves it, ended when its peer asks for too much or takes too long."""

    most = DESCRIPTORS  # connections at once
    journal = Journal()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a connection too many is told so."""
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._overhead = 0  # bytes received since the last that made sense: a head's end, a piece of a body
        self._in_head = True
        self._refused = False
        if len(self.connections) > self.most:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open.", linger=False)
        else:
            self._expect(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._settle()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, a slice at a time, as long as it is within bounds."""
        if self._in_head and self._timer is None and not self._refused:
            self._expect(HEAD_SECONDS)
        for start in range(0, len(data), _SLICE):
            if self._refused or self.transport.is_closing() or self not in self.connections:  # the last: upgraded
                return
            part = data[start : start + _SLICE]
            self._overhead += len(part)
            super().data_received(part)
            if self._overhead > HEAD_BYTES:
                self._refuse(
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"The request's head is over {HEAD_BYTES} bytes."
                )

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read as a request."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._in_head = True
        self._overhead = 0
        if self._timer is None:
            self._expect(HEAD_SECONDS)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header in; what follows a chunked body is none."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a request's head."""
        self._in_head = False
        self._overhead = 0
        self._expect(BODY_SECONDS)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body in."""
        self._overhead = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._in_head = True
        self._overhead = 0
        self._settle()
        super().on_message_complete()

    def _expect(self, seconds: float) -> None:
        self._settle()
        self._timer = self.loop.call_later(seconds, self._late, seconds)

    def _settle(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None

    def _late(self, seconds: float) -> None:
        self._timer = None
        if self.flow.read_paused:  # the wait is ours: an earlier request is being answered, or this body digested
            self._expect(seconds)
        elif self not in self.connections:  # a socket by now
            return
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The request was not complete within {seconds:g} s.")

    def _refuse(self, status: HTTPStatus, why: str, linger: bool = True) -> None:
        if self._refused:
            return
        self._refused = True
        self.journal.tell("refused", kind=status.phrase, address=(self.client or ("",))[0])
        self._settle()
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        answering = self.cycle is not None and not self.cycle.response_complete
        if not (answering and self.cycle.response_started):
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\n" + _REFUSAL
            self.transport.write(f"{head}Content-Length: {len(why)}\r\nConnection: close\r\n\r\n{why}".encode())
        if answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if linger:
            self.loop.call_later(_LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()


def raise_limit() -> int:
    """Let this process open as many files as it may, `DESCRIPTORS` at most; return how many connections that bears."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
        except (OSError, ValueError) as error:
            log.warning("the limit of open files stays", limit=soft, error=str(error))
    files = DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return max(files - _SPARE_DESCRIPTORS, files // 2)


def serving(app: Any, certificate: Certificate | None = None, **options: Any) -> uvicorn.Config:
    """Return how uvicorn serves an app here: bounded, silent about each request, no proxy believed.

    Args:
        certificate: shown to other machines, who then must speak TLS; None: nobody does.
    """
    most = raise_limit()
    protocol: type = type("Bounded", (Bounded,), {"most": most})
    if certificate:
        protocol = type("Handshake", (Handshake,), {"inner": protocol, "certificate": certificate, "most": most})
    fixed = {"http": protocol, "log_config": None, "access_log": False, "server_header": False, "proxy_headers": False}
    return uvicorn.Config(app, **{**fixed, "ws": "none", **options})


def listen(host: str, port: int, backlog: int = 2048) -> socket.socket:
    """Return a listening socket whose connections end when their peer is gone.

    Raises:
        OSError: the port is in use, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=backlog)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD_MILLISECONDS)
    return listener


class Guarded:
    """Around an app: names that are ours, pages that are ours, bodies within bounds, headers that are strict."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), body_limit: int = BODY_BYTES) -> None:
        self._app = app
        self._hosts = LOOPBACK | {socket.gethostname().lower()} | {name.lower() for name in hosts}
        self._limit = body_limit
        self._journal = Journal()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = None
        if not names_us(headers, self._hosts):
            answer = PlainTextResponse("This server does not go by that host name; FORETICK_HOSTS names others.\n", 400)
        elif scope["method"] in UNSAFE and not from_us(headers.get("origin"), headers.get("host")):
            answer = PlainTextResponse("A page of another origin may change nothing here.\n", 403)
        elif declared(headers) > self._limit:
            answer = PlainTextResponse(f"The body is larger than {self._limit} bytes.\n", 413)
        if answer:
            self._journal.refused(HTTPStatus(answer.status_code).phrase, scope)
        await (answer or self._app)(scope, Limited(receive, self._limit), strictly(send))


class Limited:
    """Receive no more of a body than the limit, whatever its declared length."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self._limit = limit

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise self.error()
        return message

    def error(self) -> Exception:
        """Return what is raised at a byte too many."""
        return HTTPException(413, f"The body is larger than {self._limit} bytes.")


def declared(headers: Headers) -> int:
    """Return the length that a body is said to have; 0 if nothing is said."""
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0


def names_us(headers: Headers, hosts: Collection[str]) -> bool:
    """Tell whether a request names its host once, by an address or one of `hosts`.

    Any other name can be one that a page has given to this machine to pass for its server (DNS rebinding); an address
    cannot be given away.
    """
    names = headers.getlist("host")
    if len(names) != 1:
        return False
    name = host_name(names[0])
    return name in hosts or _is_address(name)


def from_us(origin: str | None, host: str | None, others: Collection[str] = ()) -> bool:
    """Tell whether a request is no foreign page's: of the server's own, or of an origin of the list.

    A caller that names no origin is no browser, and no page can make a browser leave it out.
    """
    if origin is None or origin in others:
        return True
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and bool(host) and parts.netloc.lower() == str(host).lower()


def host_name(header: str) -> str:
    """Return the name of a Host header, without its port."""
    name = header.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
