"""Which web pages may open sockets here."""

from collections.abc import Collection
from urllib.parse import urlsplit


def allowed(origin: str | None, host: str | None, others: Collection[str]) -> bool:
    """Tell whether a page of this origin may open a socket: the gateway's own, or one of the list.

    A caller that names no origin is no browser, and no page can make a browser leave it out.
    """
    if origin is None:
        return True
    if origin in others:
        return True
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and bool(host) and parts.netloc.lower() == str(host).lower()
