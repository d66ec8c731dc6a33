"""The page at `/sign-in`: without any script, as it is there for who has not come in yet."""

from html import escape

from starlette.responses import HTMLResponse

from gateway.access.scopes import Caller
from gateway.access.sessions import Sessions
from streaming.policies import by_hash, csp

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
h2{margin:1.75rem 0 .5rem;font-size:1rem}table{width:100%;margin-bottom:1rem;border-collapse:collapse}
td,th{padding:.25rem .5rem .25rem 0;text-align:left}[type=checkbox]{width:auto;margin:0}a{color:#00609a}
:focus-visible{outline:2px solid #00609a;outline-offset:2px}
@media(prefers-color-scheme:dark){body{color:#e4e9f0;background:#0a0d12}main{border-color:#202834;background:#0d1117}
[role=alert]{border-color:#ff8a66;background:#151b24}input{border-color:#687687;color:#e4e9f0;background:#0d1117}
button{border-color:#56b4e9;color:#06202f;background:#56b4e9}a{color:#56b4e9}
:focus-visible{outline-color:#56b4e9}}
"""
_HEAD = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in - Foretick</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main><h1>Foretick</h1>"""
_TOKEN = '<input type="password" name="token" autocomplete="current-password" required>'
_FOCUSED = _TOKEN.replace(">", " autofocus>")
_HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": csp(by_hash(_STYLE))}


def ask_for_token(fault: str = "", status: int = 200) -> HTMLResponse:
    """Ask for a token; `fault` says what was wrong with the last."""
    return _page(
        f"""<p>This gateway wants a token. <code>foretick token new</code> makes one.</p>{_note(fault)}
<form method="post" action="/sign-in"><p><label>Token {_FOCUSED}</label></p><button>Sign in</button></form>""",
        status,
    )


def show_sessions(caller: Caller, sessions: Sessions, fault: str = "", status: int = 200) -> HTMLResponse:
    """Show a person in whose name they are here, and where else they have signed in."""
    return _page(
        f"""<p>You are signed in as <b>{escape(caller.name)}</b>. <a href="/">To the market</a></p>
<form method="post" action="/sign-out"><p><button>Sign out</button></p></form>
<h2>Where you are signed in</h2>{_note(fault)}<form method="post" action="/sign-in/sessions">
<table><tr><th>End</th><th>From</th><th>Since</th><th>Last used</th></tr>{_rows(caller, sessions)}</table>
<p><label>Your token, once more {_TOKEN}</label></p><button>End the marked ones</button></form>""",
        status,
    )


def _rows(caller: Caller, sessions: Sessions) -> str:
    rows = []
    for each in sessions.of(caller):
        place = f"{escape(each.caller.address)}{' (here)' if each.name == caller.session else ''}"
        mark = f'<input type="checkbox" name="session" value="{each.name}" aria-label="End the one from {place}">'
        cells = (mark, place, _ago(sessions.age(each.begun)), _ago(sessions.age(each.used)))
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return "".join(rows)


def _page(body: str, status: int) -> HTMLResponse:
    return HTMLResponse(f"{_HEAD}{body}</main></body></html>", status, headers=_HEADERS)


def _note(fault: str) -> str:
    return f'<p role="alert">{escape(fault)}</p>' if fault else ""


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "now"
