"""What serving remembers of the log: the newest bars and the splits of each symbol, with where each stands.

A recent holds the highest revision of its last bars.  Folding an event twice, or an older revision, changes nothing.
"""

from bisect import insort
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from math import log
from typing import Generic, TypeVar

from contracts.events import BarClosed, CorporateActionAnnounced
from contracts.parts import OffsetRange
from streaming.records import Record

SeriesKey = tuple[str, str]  # symbol, interval

SPLIT_LIKE = log(1.15)  # a move at least so large may be a split whose announcement is still on its way

_E = TypeVar("_E", BarClosed, CorporateActionAnnounced)


@dataclass(frozen=True, slots=True)
class LogEvent(Generic[_E]):
    """An event and where it stands in the log."""

    event: _E
    topic: str
    partition: int
    offset: int
    schema_id: int


def log_event(event: _E, record: Record) -> LogEvent[_E]:
    """Keep of a record what lineage needs; its headers are not worth their memory."""
    return LogEvent(event, record.topic, record.partition, record.offset, record.schema_id)


@dataclass(slots=True)
class RecentBars:
    """The last bars of one symbol and interval, in time order; at least `keep` of them."""

    keep: int
    _bars: dict[datetime, LogEvent[BarClosed]] = field(default_factory=dict)
    _times: list[datetime] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def newest(self) -> LogEvent[BarClosed]:
        """Return the bar that closed last."""
        return self._bars[self._times[-1]]

    def fold(self, bar: LogEvent[BarClosed]) -> bool:
        """Take a bar up; tell whether it is the newest bar now, or a correction of it."""
        time = bar.event.closed_at
        held = self._bars.get(time)
        if held is not None:
            if bar.event.revision <= held.event.revision:
                return False
        elif len(self._times) >= self.keep and time < self._times[0]:
            return False  # older than anything a forecast reads
        else:
            insort(self._times, time)
        self._bars[time] = bar
        if len(self._times) > 2 * self.keep:
            self._forget(len(self._times) - self.keep)
        return time == self._times[-1]

    def last(self, count: int) -> tuple[LogEvent[BarClosed], ...]:
        """Return the last `count` bars, oldest first."""
        return tuple(self._bars[time] for time in self._times[-count:])

    def jump(self) -> float:
        """Return |ln(close / close before)| of the newest bar: what a split of two for one moves by 0.69."""
        if len(self._times) < 2:
            return 0.0
        before, after = self.last(2)
        return abs(log(after.event.close / before.event.close))

    def _forget(self, count: int) -> None:
        for time in self._times[:count]:
            del self._bars[time]
        del self._times[:count]


class SplitHistory:
    """The splits of all symbols, the highest revision of each."""

    def __init__(self) -> None:
        self._held: defaultdict[str, dict[date, LogEvent[CorporateActionAnnounced]]] = defaultdict(dict)

    def fold(self, action: LogEvent[CorporateActionAnnounced]) -> None:
        """Take a corporate action up; what is no split is passed over."""
        if action.event.kind != "SPLIT":
            return
        held = self._held[action.event.symbol].get(action.event.ex_date)
        if held is None or action.event.revision > held.event.revision:
            self._held[action.event.symbol][action.event.ex_date] = action

    def between(self, symbol: str, after: date, until: date) -> tuple[LogEvent[CorporateActionAnnounced], ...]:
        """Return a symbol's splits with `after` < ex_date <= `until`, oldest first."""
        held = self._held.get(symbol, {})
        return tuple(held[day] for day in sorted(held) if after < day <= until)


def offset_ranges(
    events: tuple[LogEvent[BarClosed] | LogEvent[CorporateActionAnnounced], ...],
) -> tuple[OffsetRange, ...]:
    """Return the smallest range of each partition that holds the events, by topic and partition."""
    offsets: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for event in events:
        offsets[event.topic, event.partition].append(event.offset)
    return tuple(
        OffsetRange(topic=topic, partition=partition, from_offset=min(found), to_offset=max(found))
        for (topic, partition), found in sorted(offsets.items())
    )
