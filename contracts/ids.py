"""Deterministic identities: the same fact published twice is the same event."""

from datetime import date, datetime
from hashlib import sha1
from uuid import UUID

_NAMESPACE = UUID("6f0b6a0e-6a56-5c0e-9c3d-0c6d0f3f7a11")  # foretick's own; changing it changes every identity
_VARIANT = {digit: "89ab"[number % 4] for number, digit in enumerate("0123456789abcdef")}


def stable_id(kind: str, *parts: object) -> str:
    """Return the UUIDv5 of what makes a thing itself (RFC 9562, section 5.5)."""
    name = "|".join([kind, *[_text(part) for part in parts]])
    # What `uuid.uuid5` returns, without its object: an id is made for every event.
    text = sha1(_NAMESPACE.bytes + name.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def stamp(moment: datetime) -> str:
    """Write a UTC moment as RFC 3339 with `Z`, without needless fractions: `2012-01-03T21:00:00Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def bar_id(symbol: str, interval: str, closed_at: datetime) -> str:
    """Name a bar whatever its revision: `AAPL|P1D|2012-01-03T21:00:00Z`."""
    return f"{symbol}|{interval}|{stamp(closed_at)}"


def forecast_id(symbol: str, interval: str, origin: datetime, model: str, version: str, input_sha256: str) -> str:
    """Name a forecast by what went into it."""
    return stable_id("ForecastIssued", symbol, interval, origin, model, version, input_sha256)


def _text(part: object) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, datetime):
        return stamp(part)
    return part.isoformat() if isinstance(part, date) else str(part)
