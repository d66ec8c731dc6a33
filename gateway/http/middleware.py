"""Around every HTTP request: an id, a time, a size limit, and headers that keep browsers strict."""

import time
import uuid
from collections.abc import Collection

import structlog
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.metrics import GatewayMetrics
from gateway.problems import Problem
from streaming.headers import continue_trace
from streaming.journal import Journal
from streaming.outward import is_loopback
from streaming.policies import strictly
from streaming.serving import Limited, declared, host_name, names_us
from streaming.settings import LOOPBACK
from streaming.tracing import traceparent, tracing

log = structlog.get_logger()


class RequestMiddleware:
    """Observe each request and answer it with the house's headers; refuse host names that are not ours."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: GatewayMetrics,
        body_limit: int,
        hosts: Collection[str],
        journal: Journal,
        tls_only: bool,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._journal = journal
        self._limit = body_limit
        self._hosts = frozenset(hosts)
        self._tls_only = tls_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        secured = scope["scheme"] in ("https", "wss")
        # A browser would ask every server of this machine for TLS if localhost asked for it.
        strict = strictly(send, secured and host_name(headers.get("host", "")) not in LOOPBACK)
        state = scope.setdefault("state", {})
        fault = self._fault(scope, headers, secured)
        if fault:
            state["refused"] = fault.kind
        if scope["type"] == "websocket":
            if not fault:
                await self._app(scope, receive, strict)
            else:
                await send({"type": "websocket.close", "code": 1008})  # before accept: a plain 403
            self._tell(scope)
            return
        request_id = _request_id(headers.get("x-request-id"))
        given = headers.get("traceparent")
        span = tracing.span(scope["method"], SpanKind.SERVER, given, {}) if tracing.on else None
        trace_id = (traceparent(span) if span else continue_trace(given)).split("-")[1]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=trace_id)
        begun = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await strict(message)

        try:
            if fault:
                await fault.response()(scope, receive, sending)
            elif declared(headers) > self._limit:
                state["refused"] = "too-large"
                await _too_large(self._limit).response()(scope, receive, sending)
            else:
                await self._app(scope, _Limited(receive, self._limit), sending)
        except Exception as error:
            log.error("a request failed", method=scope["method"], path=scope["path"], exc_info=error)
            if status:  # half of an answer is out: all that is left is to break it off
                raise
            await _FAILED.response()(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path_format", None) or "(web)"
            seconds = time.perf_counter() - begun
            if span:
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": status})
                span.end()
            self._metrics.requests.labels(scope["method"], route, str(status)).observe(seconds)
            self._tell(scope)
            if (status >= 500 or seconds > 1) and route != "/health/ready":  # that one is asked while we wait
                log.warning(
                    "a request was slow or failed",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    seconds=round(seconds, 3),
                )

    def _fault(self, scope: Scope, headers: Headers, secured: bool) -> Problem | None:
        """Return what is wrong before anything else is looked at; probes of health may come in the clear."""
        if not names_us(headers, self._hosts):
            return _FOREIGN_HOST
        if not self._tls_only or secured or scope["path"].startswith("/health/"):
            return None
        return None if is_loopback((scope.get("client") or ("",))[0]) else _IN_THE_CLEAR

    def _tell(self, scope: Scope) -> None:
        """Log a refusal by whoever it was."""
        if kind := scope["state"].get("refused"):
            self._journal.refused(kind, scope)


_FOREIGN_HOST = Problem(400, "foreign-host", "This gateway does not go by that host name; FORETICK_HOSTS names others.")
_IN_THE_CLEAR = Problem(
    403, "in-the-clear", "From other machines come by https or wss; a proxy must say so (X-Forwarded-Proto)."
)
_FAILED = Problem(500, "internal-error", "The gateway failed; its log says why, by the request id.")


class _Limited(Limited):
    def error(self) -> Exception:
        return _too_large(self._limit)


def _too_large(limit: int) -> Problem:
    return Problem(413, "too-large", f"The body is larger than {limit} bytes.")


def _request_id(given: str | None) -> str:
    """Keep a caller's id if it is one that a log can bear."""
    if given and len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum():
        return given
    return uuid.uuid4().hex
