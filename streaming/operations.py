"""What an operator needs of each service: logs as JSON lines, /health, /metrics, /status, an end on SIGTERM."""

import faulthandler
import logging
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streaming.proxies import go_direct
from streaming.serving import Guarded, listen, serving
from streaming.setback import watch_clock
from streaming.settings import StreamSettings


def configure_logging(service: str, *, supervised: bool = True) -> None:
    """Begin a service: its logs go to standard error, one JSON object a line; a proxy is for others' servers only.

    Args:
        supervised: somebody starts the process again: it ends when the clock is set back (`streaming.setback`).
    """
    faulthandler.enable(2)  # tells where the Kafka client ended the process, as it does at some damage
    go_direct()
    told: list[Any] = [
        lambda _logger, _method, entry: {"service": service, **entry},  # a context variable would not reach threads
        structlog.contextvars.merge_contextvars,  # the ids of a request, and who made it
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    lines: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    libraries = logging.StreamHandler()
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=told, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *lines]
        )
    )
    logging.basicConfig(handlers=[libraries], level=logging.WARNING)
    structlog.configure(
        processors=[*told, *lines],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # what standard error is then, not what it is now
    )
    if supervised:
        watch_clock()


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def ops_router(status: Callable[[], dict[str, Any]], reasons: Callable[[], list[str]]) -> APIRouter:
    """Return the routes that every service offers.

    Args:
        status: the service's own state, as JSON.
        reasons: why it is not ready; empty when it is.
    """
    router = APIRouter(tags=["operations"])

    @router.get("/health/live")
    def live() -> dict[str, str]:
        """Tell that the process answers."""
        return {"status": "live"}

    @router.get("/health/ready")
    def ready() -> JSONResponse:
        """Tell whether the service can do its work, and if not, why."""
        why = reasons()
        return JSONResponse({"status": "waiting" if why else "ready", "reasons": why}, 503 if why else 200)

    @router.get("/status")
    def report() -> dict[str, Any]:
        """Tell what the service is doing."""
        return status()

    @router.get("/metrics")
    def metrics() -> Response:
        """Return Prometheus metrics."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def serve_ops(settings: StreamSettings, status: Callable[[], dict[str, Any]], reasons: Callable[[], list[str]]) -> None:
    """Serve the operations routes from a daemon thread, at `bind` and `ops_port`; port 0: not at all.

    Raises:
        OSError: the port is in use.
    """
    if not settings.ops_port:
        return
    listening = listen(settings.bind, settings.ops_port)
    app = FastAPI(title="Foretick operations", docs_url=None, redoc_url=None)
    app.include_router(ops_router(status, reasons))
    server = uvicorn.Server(serving(Guarded(app, settings.hosts)))
    threading.Thread(target=server.run, args=([listening],), name="ops", daemon=True).start()
