"""When a bar opened and closed, by its exchange's calendar: half days close early, holidays have no bar."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Literal

import exchange_calendars

DURATIONS = {"PT1H": timedelta(hours=1), "PT1M": timedelta(minutes=1)}
_FIRST = "1962-01-02"  # the first session that Yahoo has of any share
_INSTANT = timedelta(microseconds=1)


class NoSession(Exception):
    """The calendar has no session then; the text says which calendar and when."""


@dataclass(frozen=True, slots=True)
class Hours:
    """How an exchange stands at a moment: the two last closes, and when it opens or closes next (None: not known)."""

    open: bool
    last_close: datetime
    close_before: datetime
    changes_at: datetime | None


class Calendar:
    """The sessions of one exchange, as UTC open and close."""

    def __init__(self, name: str) -> None:
        calendar = _calendar(name)
        self.name = calendar.name
        self.zone = calendar.tz
        self.opens: list[datetime] = [moment.to_pydatetime().astimezone(UTC) for moment in calendar.opens]
        self.closes: list[datetime] = [moment.to_pydatetime().astimezone(UTC) for moment in calendar.closes]
        self.days = [session.date() for session in calendar.sessions]
        self._index = {day: place for place, day in enumerate(self.days)}

    def session(self, day: date) -> tuple[datetime, datetime]:
        """Return a session's open and close.

        Raises:
            NoSession: the exchange was closed all day.
        """
        place = self._index.get(day)
        if place is None:
            raise NoSession(f"{day} is no session of {self.name}")
        return self.opens[place], self.closes[place]

    def bounds(
        self, interval: str, stamp: date | datetime, stamps: Literal["open", "close"]
    ) -> tuple[datetime, datetime]:
        """Return when the bar of a stamp opened and closed.

        A daily bar spans its session.  An hour or a minute is counted from the session's open; the last one of a
        session ends with it, however short that makes it.

        Raises:
            NoSession: the stamp lies outside every session.
        """
        if not isinstance(stamp, datetime):
            return self.session(stamp)
        inside = stamp.astimezone(UTC) - (_INSTANT if stamps == "close" else timedelta(0))
        if interval == "P1D":
            return self.session(inside.astimezone(self.zone).date())
        place = bisect_right(self.opens, inside) - 1
        if place < 0 or inside >= self.closes[place]:
            raise NoSession(f"{stamp.isoformat()} lies outside every session of {self.name}")
        duration = DURATIONS[interval]
        opened = self.opens[place] + (inside - self.opens[place]) // duration * duration
        return opened, min(opened + duration, self.closes[place])

    def hours(self, moment: datetime) -> Hours:
        """Return how the exchange stands at a moment.

        Raises:
            NoSession: the moment lies before the calendar's second close.
        """
        begun = bisect_right(self.opens, moment) - 1
        trading = begun >= 0 and moment < self.closes[begun]
        closed = begun - 1 if trading else begun
        if closed < 1:
            raise NoSession(f"{moment.isoformat()} lies before the sessions that are known of {self.name}")
        coming = self.opens[begun + 1] if begun + 1 < len(self.opens) else None
        return Hours(trading, self.closes[closed], self.closes[closed - 1], self.closes[begun] if trading else coming)

    def sessions_before(self, moment: datetime, count: int) -> datetime:
        """Return the open of the session `count` sessions before the one that a moment lies in or follows."""
        place = max(0, bisect_right(self.opens, moment) - 1 - count)
        return self.opens[place]


@cache
def calendar_of(mic: str | None, default: str) -> Calendar:
    """Return an exchange's calendar; the default's where the exchange is not known."""
    if mic is not None:
        try:
            return Calendar(mic)
        except exchange_calendars.errors.InvalidCalendarName:
            return calendar_of(None, default)
    return Calendar(default)


def _calendar(name: str) -> exchange_calendars.ExchangeCalendar:
    try:
        return exchange_calendars.get_calendar(name, start=_FIRST)
    except ValueError:  # this calendar cannot be told so far back
        return exchange_calendars.get_calendar(name)
