"""Which forecasts are owed: folded from the bars that came and from what was issued already.  Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import log
from typing import NamedTuple

from contracts.events import BarClosed, ForecastIssued
from contracts.topics import STOCK_DATA
from forecasting.tapes import Placed, Tape, placed
from streaming.records import Partition, Record

Series = tuple[str, str]  # symbol, interval

SPLIT_LIKE = log(1.15)  # a move at least so large may be a split whose announcement is still on its way


class Mark(NamedTuple):
    """How far a model version has come with a series: the origin, and the offset of the newest bar it read."""

    origin: datetime
    offset: int


@dataclass(frozen=True, slots=True)
class Due:
    """A forecast owed by some versions: from these bars, because of this record."""

    series: Series
    bars: tuple[Placed[BarClosed], ...]  # oldest first; the last one is the origin
    cause: Record
    versions: frozenset[str]

    @property
    def origin(self) -> datetime:
        """Return the close of the last bar that may be seen."""
        return self.bars[-1].event.closed_at

    @property
    def mark(self) -> Mark:
        """Return how far a version is that has made this forecast."""
        return Mark(self.origin, max(bar.offset for bar in self.bars))


@dataclass(slots=True)
class Issued:
    """What was issued already: folded from the output topic, so that nothing is published twice."""

    model_name: str
    _marks: dict[tuple[Series, str], Mark] = field(default_factory=dict)
    _last_ids: dict[tuple[Series, str], str] = field(default_factory=dict)
    _furthest: dict[Series, datetime] = field(default_factory=dict)

    def fold(self, forecast: ForecastIssued) -> None:
        """Take up a forecast; in any order, any number of times."""
        if forecast.model.name != self.model_name:
            return
        key = ((forecast.symbol, forecast.interval), forecast.model.version)
        bars = [part.to_offset for part in forecast.lineage.inputs if part.topic == STOCK_DATA.name]
        mark = Mark(forecast.origin, max(bars, default=-1))
        self._furthest[key[0]] = max(mark.origin, self._furthest.get(key[0], mark.origin))
        if key not in self._marks or mark > self._marks[key]:
            self._marks[key] = mark
            self._last_ids[key] = forecast.forecast_id

    def mark(self, series: Series, version: str) -> Mark | None:
        """Return how far a version has come with a series; None: it has not begun."""
        return self._marks.get((series, version))

    def furthest(self, series: Series) -> datetime | None:
        """Return the last origin of a series that any version has come to."""
        return self._furthest.get(series)

    def has(self, forecast: ForecastIssued) -> bool:
        """Tell whether this very forecast was the last one issued for its series and version."""
        key = ((forecast.symbol, forecast.interval), forecast.model.version)
        return self._last_ids.get(key) == forecast.forecast_id


class Dues:
    """Folds bars into the forecasts that are owed.

    A version that has begun with a series owes one forecast for each newer bar, and for a correction of the
    newest; it reads bars up to that one only, as they stood when it came.  A version that has not begun owes
    nothing for history: it begins at the newest bar, when that is known to be the newest (`begin`).

    Args:
        issued: what was issued already.
        interval: the bars to forecast; others are passed over.
        sessions: how many bars a forecast reads.
    """

    def __init__(self, issued: Issued, interval: str, sessions: int) -> None:
        self.pending: dict[tuple[datetime, Series], Due] = {}
        self.tapes: dict[Series, Tape] = {}
        self._issued = issued
        self._interval = interval
        self._sessions = sessions
        self._newest: dict[Series, tuple[Record, float]] = {}  # the newest bar's record, and when it came
        self._waiting: set[tuple[Series, str]] = set()
        self._begun: set[tuple[Series, str]] = set()

    def fold(self, record: Record, bar: BarClosed, versions: Iterable[str], at: float) -> bool:
        """Take a bar up; tell whether it moved so far that a split may explain it.

        Args:
            versions: the model versions at work now.
            at: when it came, in seconds of any clock that only rises.
        """
        if bar.interval != self._interval:
            return False
        series = (bar.symbol, bar.interval)
        tape = self.tapes.setdefault(series, Tape(keep=2 * self._sessions))
        if not tape.fold(placed(bar, record)):
            return False
        self._newest[series] = (record, at)
        owing = set()
        for version in versions:
            before = self._issued.mark(series, version)
            if before is None and (series, version) not in self._begun:
                self._waiting.add((series, version))
            elif before is None or (bar.closed_at, record.offset) > before:
                owing.add(version)
        self._owe(series, owing)
        return tape.jump() > SPLIT_LIKE

    def take_up(self, versions: Iterable[str]) -> None:
        """Let versions that were just loaded begin at each series' newest bar.

        At once, where others have forecast from that bar: so a new champion misses no bar that is on its way.
        """
        for series, tape in self.tapes.items():
            behind = {version for version in versions if self._behind(series, version)}
            if self._issued.furthest(series) == tape.newest.event.closed_at:
                self._owe(series, behind)
            else:
                self._waiting |= {(series, version) for version in behind}

    def begin(self, versions: Iterable[str], live: Mapping[Series, bool], quiet_since: float) -> None:
        """Let waiting versions begin with the series whose newest bar is known to be the newest.

        It is, when the session after it is still to come (`live`), or when nothing has come for a while:
        a backfill on its way must not be forecast bar by bar.
        """
        at_work = set(versions)
        begun: defaultdict[Series, set[str]] = defaultdict(set)
        for series, version in self._waiting:
            _, at = self._newest[series]
            if version not in at_work or live.get(series, False) or at <= quiet_since:
                begun[series].add(version)
        for series, found in begun.items():
            self._waiting -= {(series, version) for version in found}
            self._owe(series, {version for version in found & at_work if self._behind(series, version)})

    @property
    def waiting(self) -> set[Series]:
        """Return the series with which some version has not begun."""
        return {series for series, _ in self._waiting}

    def next_round(self) -> list[Due]:
        """Return what is owed for the earliest origin, by symbol: all that closed together."""
        origin = min(origin for origin, _ in self.pending)
        return [self.pending[key] for key in sorted(self.pending) if key[0] == origin]

    def done(self, round_: Iterable[Due]) -> None:
        """Strike dues off."""
        for due in round_:
            self.pending.pop((due.origin, due.series), None)

    def keep_only(self, partitions: Iterable[Partition]) -> None:
        """Forget the series of partitions that are another process's now."""
        kept = set(partitions)
        gone = {series for series, (record, _) in self._newest.items() if (record.topic, record.partition) not in kept}
        for series in gone:
            del self.tapes[series], self._newest[series]
        self._waiting = {(series, version) for series, version in self._waiting if series not in gone}
        self._begun = {(series, version) for series, version in self._begun if series not in gone}
        self.pending = {key: due for key, due in self.pending.items() if due.series not in gone}

    def _behind(self, series: Series, version: str) -> bool:
        before = self._issued.mark(series, version)
        return before is None or before.origin < self.tapes[series].newest.event.closed_at

    def _owe(self, series: Series, versions: Iterable[str]) -> None:
        found = frozenset(versions)
        if not found:
            return
        self._begun |= {(series, version) for version in found}
        bars = self.tapes[series].last(self._sessions)
        key = (bars[-1].event.closed_at, series)
        if key in self.pending:  # a correction came before the forecast went out: one forecast, of the correction
            found |= self.pending[key].versions
        self.pending[key] = Due(series, bars, self._newest[series][0], found)
