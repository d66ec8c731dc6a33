"""When a bar opened and closed, by its exchange's calendar: half days close early, holidays have no bar."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Literal

import exchange_calendars
from pandas import NaT

DURATIONS = {"PT1H": timedelta(hours=1), "PT1M": timedelta(minutes=1)}
_FIRST = "1962-01-02"  # the first session that Yahoo has of any share
_INSTANT = timedelta(microseconds=1)
_AUCTION = timedelta(minutes=15)  # after the end, within which the closing price is told


_CALENDARS = {  # MICs that exchange_calendars does not know, and the calendar of an exchange with the same sessions
    **dict.fromkeys(("XNGS", "XNMS", "XNCM", "XCIS", "XCHI", "XBOS", "XPHL", "XCBO", "AMXO", "XPUS"), "XNYS"),
    **dict.fromkeys(("BATY", "EDGA", "EDGX", "IEXG", "MEMX", "LTSE"), "XNYS"),
    **dict.fromkeys(("OTCM", "PINX", "OTCQ", "OTCB", "XOTC"), "XNYS"),
    **dict.fromkeys(("XCNQ", "NEOE"), "XTSE"),
    **dict.fromkeys(("XCME", "XCBT", "XNYM", "XCEC", "GLBX"), "CMES"),
    **dict.fromkeys(("AQSE", "BCXE", "CHIX"), "XLON"),
    **dict.fromkeys(("XFKA", "XSAP", "XNGO"), "XTKS"),
    **{"IFUS": "IEPA", "ETLX": "XMIL", "XATH": "ASEX", "MISX": "XMOS"},
    **{"XSHE": "XSHG", "ROCO": "XTAI", "XKOS": "XKRX", "XNSE": "XBOM"},
}


class OutsideSessions(Exception):
    """The calendar has no session then; the text says which calendar and when."""


class UnknownExchange(OutsideSessions):
    """No calendar is known of an exchange; the text names the setting that tells it."""


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
        self._starts, self._ends = self._parts(calendar)

    def _parts(self, calendar: exchange_calendars.ExchangeCalendar) -> tuple[list[datetime], list[datetime]]:
        """Return when trading starts and ends: as the session does, or twice where there is a lunch break."""
        pauses = zip(calendar.schedule["break_start"], calendar.schedule["break_end"], strict=True)
        starts, ends = [], []
        for opened, closed, (pause, resumption) in zip(self.opens, self.closes, pauses, strict=True):
            starts.append(opened)
            if pause is not NaT:
                ends.append(pause.to_pydatetime().astimezone(UTC))
                starts.append(resumption.to_pydatetime().astimezone(UTC))
            ends.append(closed)
        return starts, ends

    def session(self, day: date) -> tuple[datetime, datetime]:
        """Return a session's open and close.

        Raises:
            OutsideSessions: the exchange was closed all day.
        """
        place = self._index.get(day)
        if place is None:
            raise OutsideSessions(f"{day} is no session of {self.name}")
        return self.opens[place], self.closes[place]

    def bounds(
        self, interval: str, stamp: date | datetime, stamps: Literal["open", "close"]
    ) -> tuple[datetime, datetime]:
        """Return when the bar of a stamp opened and closed.

        A daily bar spans the session that its stamp lies in, else the one of the exchange's date.  An hour or a minute
        is counted from where trading starts, after a lunch break again; the last one ends with the trading, however
        short that makes it.

        Raises:
            OutsideSessions: the stamp lies outside every session, or in a break.
        """
        if not isinstance(stamp, datetime):
            return self.session(stamp)
        inside = stamp.astimezone(UTC) - (_INSTANT if stamps == "close" else timedelta(0))
        if interval == "P1D":
            place = bisect_right(self.opens, inside) - 1
            if place >= 0 and inside < self.closes[place]:
                return self.opens[place], self.closes[place]
            return self.session(inside.astimezone(self.zone).date())
        place = bisect_right(self._starts, inside) - 1
        if place < 0 or inside >= self._ends[place]:
            raise OutsideSessions(f"{stamp.isoformat()} lies outside every session of {self.name}")
        duration = DURATIONS[interval]
        opened = self._starts[place] + (inside - self._starts[place]) // duration * duration
        return opened, min(opened + duration, self._ends[place])

    def last_bounds(self, interval: str, moment: datetime) -> tuple[datetime, datetime]:
        """Return when the last bar opened and closed before trading ended or paused, which a closing print belongs to.

        Raises:
            OutsideSessions: trading did not just end: less than a bar ago, or `_AUCTION` if that is longer.
        """
        place = bisect_right(self._ends, moment) - 1
        if place < 0 or moment - self._ends[place] >= max(_AUCTION, DURATIONS[interval]):
            raise OutsideSessions(f"{moment.isoformat()} lies outside every session of {self.name}")
        return self.bounds(interval, self._ends[place], "close")

    def hours(self, moment: datetime) -> Hours:
        """Return how the exchange stands at a moment.

        Raises:
            OutsideSessions: the moment lies before the calendar's second close.
        """
        begun = bisect_right(self.opens, moment) - 1
        closed = begun - 1 if begun >= 0 and moment < self.closes[begun] else begun
        if closed < 1:
            raise OutsideSessions(f"{moment.isoformat()} lies before the sessions that are known of {self.name}")
        part = bisect_right(self._starts, moment) - 1
        trading = moment < self._ends[part]
        coming = self._starts[part + 1] if part + 1 < len(self._starts) else None
        return Hours(trading, self.closes[closed], self.closes[closed - 1], self._ends[part] if trading else coming)

    def sessions_before(self, moment: datetime, count: int) -> datetime:
        """Return the open of the session `count` sessions before the one that a moment lies in or follows."""
        place = max(0, bisect_right(self.opens, moment) - 1 - count)
        return self.opens[place]


@cache
def calendar_of(exchange: str | None, default: str) -> Calendar:
    """Return an exchange's calendar, by its MIC or by the calendar's own name; the default where no exchange is told.

    Raises:
        UnknownExchange: no calendar of that name.
    """
    name = default if exchange is None else exchange
    if not is_known(name):
        raise UnknownExchange(
            f"no calendar is known of the exchange {name!r}: name one of exchange_calendars for it, such as "
            f'FORETICK_CALENDARS=\'{{"{name}": "XLON"}}\''
        )
    return _named(exchange_calendars.resolve_alias(_CALENDARS.get(name, name)))


def is_known(name: str) -> bool:
    """Tell whether a MIC, or a calendar's own name, has a calendar."""
    return name in _CALENDARS or name in exchange_calendars.get_calendar_names(include_aliases=True)


@cache
def _named(name: str) -> Calendar:
    return Calendar(name)


def _calendar(name: str) -> exchange_calendars.ExchangeCalendar:
    try:
        return exchange_calendars.get_calendar(name, start=_FIRST)
    except ValueError:  # this calendar cannot be told so far back
        first = type(exchange_calendars.get_calendar(name)).bound_min()
        return exchange_calendars.get_calendar(name, start=first)
