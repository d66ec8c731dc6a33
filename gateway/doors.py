"""The door: who calls, and may they? Asked before anything else of a request or a socket is looked at."""

import time
from dataclasses import replace
from functools import lru_cache

import structlog
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.access import OURS, Caller, Credential, need, shown
from gateway.budgets import Budgets
from gateway.jwts import Jwts, NotOurs
from gateway.metrics import Metrics
from gateway.problems import Problem
from gateway.sessions import Sessions
from gateway.settings import GatewaySettings
from gateway.tickets import Tickets
from gateway.tokens import Grant, Register
from gateway.web import is_page
from streaming.journal import Journal
from streaming.serving import UNSAFE, from_us

log = structlog.get_logger()


class Keys:
    """Know the callers by what they show; without tokens and identity provider everybody may do everything."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.tickets = Tickets()
        self.sessions = Sessions(settings.session_idle_minutes * 60, settings.session_days * 86_400)
        self._register = Register(settings.tokens, settings.tokens_file)
        self._jwts = Jwts(settings) if settings.jwks_url else None
        self.required = bool(self._register.grants.tokens or self._jwts)

    async def close(self) -> None:
        """Close the connections."""
        if self._jwts:
            await self._jwts.close()

    async def caller(self, credential: Credential | None, address: str) -> Caller | None:
        """Return who calls, None if nothing was shown; raises the problem 401, or 503 while keys cannot be had."""
        if not self.required:
            return Caller(address, address)
        if credential is None:
            return None
        found = await self._named(credential, address)
        if fault := self.fault(found):
            raise _unknown(f"{fault[0].upper()}{fault[1:]}; show another, or sign in again at /sign-in.")
        return replace(found, address=address)

    def fault(self, caller: Caller) -> str:
        """Say why a caller who was let in may not stay; empty: they may."""
        grants = self._register.grants
        if caller.session and not self.sessions.lives(caller.session):
            return "the session has ended"
        if caller.until is not None and time.time() >= caller.until:
            return "the token has ended"
        if caller.kind == "token" and _of(grants.tokens.get(caller.grant)) != _of(caller):
            return "the token was taken back or changed"
        if caller.kind == "jwt" and caller.name in grants.denied:
            return "its subject is denied here"
        return ""

    async def _named(self, credential: Credential, address: str) -> Caller:
        if credential.ticket:
            if owner := self.tickets.take(credential.ticket):
                return owner
            raise _unknown("The ticket is unknown, used or too old: ask for another at POST /api/ticket.")
        if credential.session:
            if person := self.sessions.use(credential.session):
                return person
            raise _unknown("The session has ended: sign in again at /sign-in.")
        if known := self._register.grants.of(credential.token):
            name, grant = known
            return Caller(grant.name, address, grant.scopes, "token", grant.until, grant=name)
        if self._jwts is None or credential.token.count(".") != 2:
            raise _unknown("The token is not known here.")
        try:
            return await self._jwts.caller(credential.token, address)
        except NotOurs as error:
            raise _unknown(f"The token is not taken: {error}.") from error


class Doorman:
    """Let in who may come in, and tell the app who it is (`scope["state"]["caller"]`)."""

    def __init__(self, app: ASGIApp, keys: Keys, settings: GatewaySettings, metrics: Metrics, journal: Journal) -> None:
        self._app = app
        self._keys = keys
        self._origins = settings.allowed_origins
        self._metrics = metrics
        self._journal = journal
        self._budgets = Budgets(settings.requests_per_minute if keys.required else 0)
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
        needed = need(path)
        if needed is None and not _is_the_page(scope, headers):
            return
        credential = shown(headers, websocket)
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
        if first not in OURS or first == "health":  # files, and what is asked while all else fails
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


def _of(holder: Grant | Caller | None) -> tuple[object, ...]:
    return (holder.name, holder.scopes, holder.until) if holder else ()


def _unknown(detail: str) -> Problem:
    return Problem(401, "token-unknown", detail)


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
