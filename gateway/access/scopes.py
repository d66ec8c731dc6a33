"""Who may do what: callers, their scopes, and which scope an address needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

READ, PREDICT = "read", "predict"
SCOPES = frozenset({READ, PREDICT})

COOKIE = "foretick_session"
HOST_COOKIE = f"__Host-{COOKIE}"  # over TLS: browsers let no other host, and no page without TLS, set it
PROTOCOL = "foretick.v1"
_TOKEN_PROTOCOL, _TICKET_PROTOCOL = "foretick.token.", "foretick.ticket."

# What is not the web app's. Of these, only what tells nothing of the data is open to everybody.
OWN_PATHS = (
    "api", "health", "docs", "openapi.json", "asyncapi.json", "metrics", "predict", "live", "forecast",
    "sign-in", "sign-out",
)  # fmt: skip
_OPEN = frozenset(
    {
        "/health/live",
        "/health/ready",
        "/docs",
        "/openapi.json",
        "/asyncapi.json",
        "/sign-in",
        "/sign-in/sessions",
        "/sign-out",
    }
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Name who calls: a token's name, a JWT's subject, or an address."""

    name: str
    address: str
    scopes: frozenset[str] = SCOPES
    kind: str = "address"  # what the name is: an "address", a static "token"'s, or a "jwt"'s subject
    until: float | None = None  # when what they showed ends, epoch seconds
    grant: str = ""  # which static token, by its hash
    session: str = ""  # which session's cookie came, by its name

    @property
    def key(self) -> tuple[str, str]:
        """Tell callers apart: a subject and a token may have the same name."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller shows: a bearer token, a ticket, or the cookie of a session, which its browser adds by itself."""

    token: str = ""
    ticket: str = ""
    session: str = ""


def needed_scope(path: str) -> str | None:
    """Return the scope that a path needs; None: it is open to everybody.

    Whatever lies beside the web app's files needs a scope unless it is listed as open.
    """
    first = path.lstrip("/").split("/", 1)[0]
    if first not in OWN_PATHS or path in _OPEN:
        return None
    return PREDICT if first == "predict" else READ


def shown_credential(headers: Mapping[str, str], websocket: bool) -> Credential | None:
    """Return what a request shows of its caller; None: nothing.

    A browser's socket cannot set headers: it offers the token or a ticket as a subprotocol. Neither is ever read from
    an address: those are logged along the way.
    """
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value.strip():
        return Credential(token=value.strip())
    if websocket:
        for offered in protocols(headers):
            if offered.startswith(_TOKEN_PROTOCOL):
                return Credential(token=offered.removeprefix(_TOKEN_PROTOCOL))
            if offered.startswith(_TICKET_PROTOCOL):
                return Credential(ticket=offered.removeprefix(_TICKET_PROTOCOL))
    session = session_shown(headers)
    return Credential(session=session) if session else None


def session_shown(headers: Mapping[str, str]) -> str:
    """Return what a request's cookie says of its session; empty: nothing."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    cookie = cookies.get(HOST_COOKIE) or cookies.get(COOKIE)
    return cookie.value if cookie else ""


def protocols(headers: Mapping[str, str]) -> list[str]:
    """Return the subprotocols that a socket offers."""
    return [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",") if name.strip()]
