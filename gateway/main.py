"""Start the gateway: `python -m gateway.main`."""

import signal
import socket
import sys

import structlog
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.stream.transport import TransportProtocol
from streaming.operations import configure_logging
from streaming.serving import listen, serving
from streaming.tls import Certificate
from streaming.tracing import tracing

log = structlog.get_logger()

PING_SECONDS = 5.0


class GatewayServer(uvicorn.Server):
    """uvicorn, but sockets are told that we come back (1012) before connections are shut."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye, then shut down."""
        for server in self.servers:
            server.close()
        parts = getattr(self._app.state, "parts", None)
        if parts is not None:
            await parts.sockets.restart()
        await super().shutdown(sockets)


def server_of(settings: GatewaySettings, app: FastAPI) -> GatewayServer:
    """Return the server of an app, ready to run."""
    config = serving(
        app,
        Certificate(settings.tls_certificate, settings.tls_key) if settings.tls_certificate else None,
        host=settings.address,
        port=settings.gateway_port,
        ws=TransportProtocol,
        ws_per_message_deflate=False,  # megabytes a client, and small JSON gains little
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_max_size=settings.body_limit,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=5,
    )
    return GatewayServer(config, app)


def main() -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    configure_logging("gateway")
    try:
        settings = GatewaySettings()
    except ValidationError as error:
        faults = "; ".join(str(each["msg"]).removeprefix("Value error, ") for each in error.errors())
        log.error("the gateway's settings are wrong", faults=faults)
        return 2
    tracing.start("gateway", settings.otlp_endpoint)
    try:
        listener = listen(settings.address, settings.gateway_port)
    except OSError as error:
        log.error("cannot listen", host=settings.address, port=settings.gateway_port, error=str(error))
        return 1
    scheme = "https" if settings.tls_certificate else "http"
    log.info("the gateway starts", url=f"{scheme}://{settings.address}:{listener.getsockname()[1]}")
    # uvicorn raises the signals it was ended by once more when it is done: an ordered end is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    app = create_app(settings)
    server_of(settings, app).run(sockets=[listener])
    log.info("the gateway has ended")
    parts = getattr(app.state, "parts", None)  # none of an app that never came to begin
    return 1 if parts is None or parts.health.failed else 0


if __name__ == "__main__":
    sys.exit(main())
