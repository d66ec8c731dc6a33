"""`GET /api/caller`, `POST /api/ticket`, and `/sign-in` for people, who get a session in a cookie for their token."""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.access.keys import Keys
from gateway.access.scopes import COOKIE, HOST_COOKIE, Caller, Credential, session_shown
from gateway.access.tickets import TICKET_SECONDS
from gateway.problems import Problem, problems
from gateway.routes.dependencies import CallerDep, Json, KeysDep
from gateway.routes.sign_in_page import ask_for_token, show_sessions
from gateway.schemas.responses import CallerInfo, Ticket
from streaming.journal import Journal

router = APIRouter(tags=["access"])

_LAST = datetime.max.replace(tzinfo=UTC).timestamp() - 1  # a JWT may end later than a calendar does
_UNKEPT = {"Cache-Control": "no-store"}


@router.post("/api/ticket", response_model=Ticket, responses=problems(401, 403))
async def ticket(keys: KeysDep, caller: CallerDep) -> Response:
    """Give a ticket that opens one WebSocket within 30 seconds: for browsers, whose sockets cannot send headers.

    Offer it as the subprotocol `foretick.ticket.<ticket>` beside `foretick.v1`.
    """
    given = keys.tickets.give(caller)
    return Json({"ticket": given, "expires_at": datetime.now(UTC) + timedelta(seconds=TICKET_SECONDS)}).response()


@router.get("/api/caller", response_model=CallerInfo, responses=problems(401, 403))
async def who(caller: CallerDep) -> Response:
    """Tell callers as whom the gateway knows them, and what they may."""
    until = None if caller.until is None else datetime.fromtimestamp(min(caller.until, _LAST), UTC)
    known = {"name": caller.name, "kind": caller.kind, "scopes": sorted(caller.scopes), "until": until}
    return Json({**known, "session": bool(caller.session)}).response()


@router.get("/sign-in", include_in_schema=False)
async def page(keys: KeysDep, asking: CallerDep, request: Request) -> Response:
    """Ask a person for a token; who has signed in sees where."""
    here = await _here(keys, asking, request)
    return show_sessions(here, keys.sessions) if here else ask_for_token()


@router.post("/sign-in", include_in_schema=False)
async def sign_in(keys: KeysDep, asking: CallerDep, request: Request) -> Response:
    """Begin a session for who shows a token; its cookie is kept from scripts, and from what other sites send."""
    try:
        caller = await _shown(keys, asking, await _form(request))
    except Problem as problem:
        request.state.refused = problem.kind
        return ask_for_token(problem.detail, problem.status)
    answer = RedirectResponse("/", 303, headers=_UNKEPT)
    if not keys.required:
        return answer
    if before := await _here(keys, asking, request):
        keys.sessions.end([before.session])
    _tell(request, "signed in", caller)
    longest = keys.sessions.longest
    secure = request.url.scheme == "https"
    answer.set_cookie(
        HOST_COOKIE if secure else COOKIE,
        keys.sessions.begin(caller),
        max_age=int(min(longest, caller.until - time.time()) if caller.until else longest),
        httponly=True,
        secure=secure,
        samesite="strict",
    )
    return answer


@router.post("/sign-in/sessions", include_in_schema=False)
async def end_sessions(keys: KeysDep, asking: CallerDep, request: Request) -> Response:
    """End those sessions of a person that they marked; they show their token once more for it."""
    here, form = await _here(keys, asking, request), await _form(request)
    if here:
        try:
            again = await _shown(keys, asking, form)
        except Problem as problem:
            request.state.refused = problem.kind
            return show_sessions(here, keys.sessions, problem.detail, problem.status)
        if again.key != here.key:
            return show_sessions(here, keys.sessions, "That is not the token that these sessions are of.", 403)
        ended = {each.name for each in keys.sessions.of(here)} & set(form.get("session", []))
        keys.sessions.end(ended)
        _tell(request, "sessions ended", here, sessions=len(ended))
    return RedirectResponse("/sign-in", 303, headers=_UNKEPT)


@router.post("/sign-out", include_in_schema=False)
async def sign_out(keys: KeysDep, asking: CallerDep, request: Request) -> Response:
    """End this session, and let the browser forget what it kept of our answers; of ours, it stores the theme alone."""
    if here := await _here(keys, asking, request):
        keys.sessions.end([here.session])
        _tell(request, "signed out", here)
    answer = RedirectResponse("/sign-in", 303, headers={**_UNKEPT, "Clear-Site-Data": '"cache"'})
    secure = request.url.scheme == "https"
    for name in (COOKIE, HOST_COOKIE):
        answer.delete_cookie(name, httponly=True, secure=secure or name == HOST_COOKIE, samesite="strict")
    return answer


async def _here(keys: Keys, asking: Caller, request: Request) -> Caller | None:
    """Return who has signed in with this browser; None: nobody."""
    shown = session_shown(request.headers)
    if not (shown and keys.required):
        return None
    try:
        return await keys.caller(Credential(session=shown), asking.address)
    except Problem:
        return None


async def _form(request: Request) -> dict[str, list[str]]:
    return parse_qs((await request.body()).decode("utf-8", "replace"))


async def _shown(keys: Keys, asking: Caller, form: dict[str, list[str]]) -> Caller:
    """Return whose token a form shows; raises the problem that there is with it."""
    token = form.get("token", [""])[0].strip()
    return await keys.caller(Credential(token=token), asking.address) or asking


def _tell(request: Request, event: str, caller: Caller, **fields: object) -> None:
    journal: Journal = request.app.state.journal
    journal.tell(event, kind=caller.kind, caller=caller.name, address=caller.address, **fields)
