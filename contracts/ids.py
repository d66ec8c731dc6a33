"""Deterministic identities: the same fact published twice is the same event."""

from datetime import date, datetime
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0b6a0e-6a56-5c0e-9c3d-0c6d0f3f7a11")  # foretick's own; changing it changes every identity


def stable_id(kind: str, *parts: object) -> str:
    """Return the UUIDv5 of what makes a thing itself (RFC 9562, section 5.5)."""
    return str(uuid5(_NAMESPACE, "|".join([kind, *(_text(part) for part in parts)])))


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
    if isinstance(part, datetime):
        return stamp(part)
    return part.isoformat() if isinstance(part, date) else str(part)
