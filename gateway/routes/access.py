"""`POST /api/ticket`, and `/sign-in` for people: a page without any script that keeps the token in a cookie."""

import time
from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.access import COOKIE, HOST_COOKIE, Credential
from gateway.problems import Problem, problems
from gateway.responses import Ticket
from gateway.tickets import SECONDS
from gateway.wiring import Calling, Door, Json
from streaming.policies import by_hash, csp

router = APIRouter(tags=["access"])

_STYLE = """
:root{color-scheme:light dark}
body{display:grid;min-height:90vh;place-items:center;margin:0;padding:1rem;font:15px/1.5 system-ui,sans-serif}
body{color:#15191f;background:#f1f3f6}main{box-sizing:border-box;width:100%;max-width:26rem;padding:1.75rem}
main{border:1px solid #dfe4ea;border-radius:6px;background:#fff}h1{margin:0 0 .5rem;font-size:1.4rem}p{margin:0 0 1rem}
label{display:block;font-weight:600}code{font:13px/1.4 ui-monospace,monospace}
[role=alert]{padding:.5rem .75rem;border-left:3px solid #b3261e;background:#f4f6f8}
input,button{box-sizing:border-box;width:100%;margin-top:.35rem;padding:.55rem .7rem;font:inherit}
input,button{border:1px solid #7c8794;border-radius:4px}
button{border-color:#00609a;color:#fff;background:#00609a;font-weight:600;cursor:pointer}
:focus-visible{outline:2px solid #00609a;outline-offset:2px}
@media(prefers-color-scheme:dark){body{color:#e4e9f0;background:#0a0d12}main{border-color:#202834;background:#0d1117}
[role=alert]{border-color:#ff8a66;background:#151b24}input{border-color:#687687;color:#e4e9f0;background:#0d1117}
button{border-color:#56b4e9;color:#06202f;background:#56b4e9}:focus-visible{outline-color:#56b4e9}}
"""
_PAGE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in - Foretick</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main><h1>Foretick</h1>
<p>This gateway wants a token. <code>foretick token new</code> makes one.</p>{{note}}
<form method="post" action="/sign-in"><p><label>Token
<input type="password" name="token" autocomplete="current-password" required autofocus></label></p>
<button>Sign in</button></form>{{out}}</main></body></html>"""
_SIGN_OUT = '<form method="post" action="/sign-out"><p>This browser is signed in. <button>Sign out</button></p></form>'
_DAYS = 30  # that a browser keeps a token
_HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": csp(by_hash(_STYLE))}


@router.post("/api/ticket", response_model=Ticket, responses=problems(401, 403))
async def ticket(door: Door, caller: Calling) -> Response:
    """Give a ticket that opens one WebSocket within 30 seconds: for browsers, whose sockets cannot send headers.

    Offer it as the subprotocol `foretick.ticket.<ticket>` beside `foretick.v1`.
    """
    given = door.tickets.give(caller)
    return Json({"ticket": given, "expires_at": datetime.now(UTC) + timedelta(seconds=SECONDS)}).response()


@router.get("/sign-in", include_in_schema=False)
async def page(request: Request) -> Response:
    """Ask a person for a token; who has signed in may sign out here."""
    return _form(signed_in=bool({COOKIE, HOST_COOKIE} & set(request.cookies)))


@router.post("/sign-in", include_in_schema=False)
async def sign_in(door: Door, asking: Calling, request: Request) -> Response:
    """Keep a token that is known in a cookie that no script can read and no other site can make a browser send."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    token = form.get("token", [""])[0].strip()
    try:
        caller = await door.caller(Credential(token=token), asking.address)
    except Problem as problem:
        request.state.refused = problem.kind
        return _form(problem.detail, problem.status)
    if caller:
        request.app.state.journal.tell("signed in", kind=caller.kind, caller=caller.name, address=caller.address)
    answer = RedirectResponse("/", 303, headers={"Cache-Control": "no-store"})
    secure = request.url.scheme == "https"
    left = caller.until - time.time() if caller and caller.until else _DAYS * 86_400.0
    name = HOST_COOKIE if secure else COOKIE
    answer.set_cookie(
        name, token, max_age=int(min(left, _DAYS * 86_400)), httponly=True, secure=secure, samesite="strict"
    )
    return answer


@router.post("/sign-out", include_in_schema=False)
async def sign_out(request: Request) -> Response:
    """Take the cookie back, and what the browser has kept of our answers; of ours, it stores the theme alone."""
    answer = RedirectResponse("/sign-in", 303, headers={"Cache-Control": "no-store", "Clear-Site-Data": '"cache"'})
    secure = request.url.scheme == "https"
    for name in (COOKIE, HOST_COOKIE):
        answer.delete_cookie(name, httponly=True, secure=secure or name == HOST_COOKIE, samesite="strict")
    return answer


def _form(fault: str = "", status: int = 200, *, signed_in: bool = False) -> HTMLResponse:
    note = f'<p role="alert">{escape(fault)}</p>' if fault else ""
    out = _SIGN_OUT if signed_in else ""
    return HTMLResponse(_PAGE.replace("{note}", note).replace("{out}", out), status, headers=_HEADERS)
