"""When the sessions of an exchange close: the moments that forecasts speak of."""

from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import version
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Moments = NDArray[np.datetime64]

_FIRST = pd.Timestamp("1970-01-02")  # older sessions are nobody's forecast


class SessionUnknown(ValueError):
    """The calendar cannot say when the sessions asked for close."""


@cache
def _calendar(exchange: str) -> exchange_calendars.ExchangeCalendar:
    try:
        recent = exchange_calendars.get_calendar(exchange)  # the last twenty years, which is not enough
        earliest = type(recent).bound_min()
        return exchange_calendars.get_calendar(exchange, start=max(filter(None, (_FIRST, earliest))))
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise SessionUnknown(
            f"no calendar is known for exchange {exchange!r}; give an ISO 10383 MIC such as XNYS"
        ) from error


@cache
def _closes(exchange: str) -> Moments:
    """Return the closes of all known sessions of an exchange, tz-naive UTC, nanoseconds."""
    closes: Moments = _calendar(exchange).closes.dt.tz_convert(None).to_numpy(dtype="datetime64[ns]")
    return closes


@cache
def zone(exchange: str) -> ZoneInfo:
    """Return the time zone of an exchange."""
    return ZoneInfo(str(_calendar(exchange).tz))


def calendar_version(exchange: str) -> str:
    """Return an exchange's calendar with the version of its source: `XNYS, exchange_calendars 4.13`."""
    return f"{exchange}, exchange_calendars {version('exchange-calendars')}"


def check_interval(interval: str) -> None:
    """Refuse an interval whose sessions are not known here.

    Raises:
        SessionUnknown: only daily bars can be forecast.
    """
    if interval != "P1D":
        raise SessionUnknown(
            f"cannot forecast interval {interval!r}: only daily bars (P1D) have a session calendar here"
        )


def closes_after(origins: Moments, horizon: int, *, interval: str = "P1D", exchange: str = "XNYS") -> Moments:
    """Return the closes of the next sessions after each origin: origins [n] -> [n, horizon], tz-naive UTC.

    Raises:
        SessionUnknown: the interval is not daily, or the calendar ends before the last session asked for.
    """
    check_interval(interval)
    closes = _closes(exchange)
    stamps = np.asarray(origins, dtype="datetime64[ns]")
    first = np.searchsorted(closes, stamps, side="right")
    if len(stamps) and (stamps.min() < closes[0] or first.max() + horizon > len(closes)):
        first_day, last_day = closes[[0, -1]].astype("datetime64[D]")
        earliest, latest = (moment.astype("datetime64[m]") for moment in (stamps.min(), stamps.max()))
        raise SessionUnknown(
            f"the {exchange} calendar knows sessions from {first_day} to {last_day}; "
            f"{horizon} sessions after {earliest} .. {latest} are not all among them"
        )
    following: Moments = closes[first[:, None] + np.arange(horizon)]
    return following


def target_ats(
    origin: datetime, horizon: int, *, interval: str = "P1D", exchange: str = "XNYS"
) -> tuple[datetime, ...]:
    """Return when the next `horizon` sessions after an origin close, aware UTC.

    Raises:
        SessionUnknown: as `closes_after`.
    """
    stamp = np.datetime64(origin.astimezone(UTC).replace(tzinfo=None), "ns")
    (row,) = closes_after(np.array([stamp]), horizon, interval=interval, exchange=exchange)
    return tuple(pd.Timestamp(moment, tz="UTC").to_pydatetime() for moment in row)


def session_of(closed_at: datetime, exchange: str = "XNYS") -> date:
    """Return the session that a bar belongs to: its close's date where the exchange stands."""
    return closed_at.astimezone(zone(exchange)).date()


def as_closes(stamps: Moments, exchange: str = "XNYS") -> Moments:
    """Read midnight stamps, which name a day, as that day's session close; leave others as they are.

    A day without a session closes with the session before it; one that the calendar does not know stays as it is.
    """
    moments = np.asarray(stamps, dtype="datetime64[ns]")
    days = moments.astype("datetime64[D]")
    midnight = moments == days
    if not midnight.any():
        return moments
    closes = _closes(exchange)
    # No session of an exchange that opens by day closes later than the end of its own date.
    before_next_day = np.searchsorted(closes.astype("datetime64[D]"), days, side="right") - 1
    known = midnight & (before_next_day >= 0) & (days <= closes[-1].astype("datetime64[D]"))
    return np.where(known, closes[np.clip(before_next_day, 0, None)], moments)
