"""The headers that keep browsers strict: nothing inline, nothing from elsewhere."""

from base64 import b64encode
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

POLICY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with "no-referrer", a form of ours would name its origin as "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def csp(*styles: str) -> str:
    """Return the content security policy; `styles` names the <style> elements that a page may have."""
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": " ".join(("'self'", *styles)),
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


STRICT = {"Content-Security-Policy": csp(), **POLICY_HEADERS}
SECURED = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
_HEADS = ("http.response.start", "websocket.http.response.start", "websocket.accept")


def strictly(send: Send, secured: bool = False) -> Send:
    """Return a sender that adds the headers to each answer, a handshake's too, where the answer has none.

    Args:
        secured: the answer goes by TLS, and browsers shall come back by nothing else.
    """
    wanted = STRICT | SECURED if secured else STRICT

    async def sending(message: Message) -> None:
        if message["type"] in _HEADS:
            headers = MutableHeaders(scope=message)
            for name, value in wanted.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def by_hash(style: str) -> str:
    """Name a <style> element by its text."""
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"


def by_nonce(nonce: str) -> str:
    """Name the <style> elements that carry a nonce."""
    return f"'nonce-{nonce}'"
