"""The door: who calls, and may they? Asked before anything else of a request or a socket is looked at."""

from functools import lru_cache

import structlog
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.access.keys import Keys
from gateway.access.rate_limit import RateLimit
from gateway.access.scopes import OWN_PATHS, Caller, needed_scope, shown_credential
from gateway.http.web_app import is_page
from gateway.metrics import GatewayMetrics
from gateway.problems import Problem
from gateway.settings import GatewaySettings
from streaming.journal import Journal
from streaming.serving import UNSAFE, from_us

log = structlog.get_logger()


class AuthMiddleware:
    """Let in who may come in, and tell the app who it is (`scope["state"]["caller"]`)."""

    def __init__(
        self, app: ASGIApp, keys: Keys, settings: GatewaySettings, metrics: GatewayMetrics, journal: Journal
    ) -> None:
        self._app = app
        self._keys = keys
        self._origins = settings.allowed_origins
        self._metrics = metrics
        self._journal = journal
        self._budgets = RateLimit(settings.requests_per_minute if keys.required else 0)
        self._told = lru_cache(10_000)(self._tell)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            try:
                await self._admit(scope, headers)
            except Problem:
                self._spend(scope)  # who is refused has asked, too
                raise
            self._spend(scope)
        except Problem as problem:
            self._metrics.denied.labels(problem.kind).inc()
            scope["state"]["refused"] = problem.kind
            await _answer(_denial(scope, headers, problem), scope, receive, send)
            return
        structlog.contextvars.bind_contextvars(caller=scope["state"]["caller"].name)
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, headers: Headers) -> None:
        address = (scope.get("client") or ("",))[0]
        scope["state"]["caller"] = Caller(address, address, frozenset())
        if scope.get("method") in UNSAFE and not from_us(headers.get("origin"), headers.get("host"), self._origins):
            raise _FOREIGN_PAGE
        path, websocket = scope["path"], scope["type"] == "websocket"
        needed = needed_scope(path)
        if needed is None and not _is_the_page(scope, headers):
            return
        credential = shown_credential(headers, websocket)
        caller = await self._keys.caller(credential, address)
        if caller is None:
            raise Problem(401, "token-needed", "Show a token: `Authorization: Bearer ...`, or sign in at /sign-in.")
        scope["state"]["caller"] = caller
        self._told(caller.kind, caller.name, address)
        if credential and credential.session and scope.get("method") in UNSAFE and "origin" not in headers:
            raise _FOREIGN_PAGE
        if needed and needed not in caller.scopes:
            raise Problem(403, "scope-needed", f"This needs the scope `{needed}`, which the token does not have.")

    def _spend(self, scope: Scope) -> None:
        first = scope["path"].lstrip("/").split("/", 1)[0]
        if first not in OWN_PATHS or first == "health":  # files, and what is asked while all else fails
            return
        if wait := self._budgets.spend(scope["state"]["caller"].key):
            raise Problem(429, "too-many-requests", "That was too often; ask a little slower.", retry_after=wait)

    def _tell(self, kind: str, name: str, address: str) -> None:
        """Log who came; the cache around it makes it once for each, as each request shows a token."""
        if self._keys.required:
            self._journal.tell("came in", kind=kind, caller=name, address=address)


_FOREIGN_PAGE = Problem(
    403, "foreign-origin", "A page's request, and one with a cookie, must come from the gateway's own pages."
)


def _is_the_page(scope: Scope, headers: Headers) -> bool:
    """Tell whether a person opens the web app: without a token they are shown where to sign in."""
    if scope["type"] != "http" or scope["method"] != "GET" or "text/html" not in headers.get("accept", ""):
        return False
    return is_page(scope["path"].lstrip("/") or ".")


def _denial(scope: Scope, headers: Headers, problem: Problem) -> Response:
    if problem.status == 401 and _is_the_page(scope, headers):
        return RedirectResponse("/sign-in", 303, headers={"Cache-Control": "no-store"})
    if problem.status != 401:
        return problem.response()
    error = "" if problem.kind == "token-needed" else ', error="invalid_token"'
    return problem.response({"WWW-Authenticate": f'Bearer realm="foretick"{error}'})


async def _answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)
