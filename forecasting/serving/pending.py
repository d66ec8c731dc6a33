"""Which forecasts are owed: folded from the bars that came and from what was issued already.  Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from contracts.events import BarClosed, ForecastIssued
from contracts.topics import STOCK_DATA
from forecasting.data.recent_bars import SPLIT_LIKE, LogEvent, RecentBars, SeriesKey, log_event
from streaming.records import Partition, Record


class SeriesProgress(NamedTuple):
    """How far a model version has come with a series: the origin, and the offset of the newest bar it read."""

    origin: datetime
    offset: int


@dataclass(frozen=True, slots=True)
class PendingForecast:
    """A forecast owed by some versions: from these bars, because of this record."""

    series: SeriesKey
    bars: tuple[LogEvent[BarClosed], ...]  # oldest first; the last one is the origin
    cause: Record
    versions: frozenset[str]

    @property
    def origin(self) -> datetime:
        """Return the close of the last bar that may be seen."""
        return self.bars[-1].event.closed_at

    @property
    def mark(self) -> SeriesProgress:
        """Return how far a version is that has made this forecast."""
        return SeriesProgress(self.origin, max(bar.offset for bar in self.bars))


@dataclass(slots=True)
class IssuedForecasts:
    """What was issued already: folded from the output topic, so that nothing is published twice."""

    model_name: str
    _marks: dict[tuple[SeriesKey, str], SeriesProgress] = field(default_factory=dict)
    _last_ids: dict[tuple[SeriesKey, str], str] = field(default_factory=dict)
    _furthest: dict[SeriesKey, list[datetime]] = field(default_factory=dict)  # the last two origins, newest first

    def fold(self, forecast: ForecastIssued) -> None:
        """Take up a forecast; in any order, any number of times."""
        if forecast.model.name != self.model_name:
            return
        series = (forecast.symbol, forecast.interval)
        key = (series, forecast.model.version)
        bars = [part.to_offset for part in forecast.lineage.inputs if part.topic == STOCK_DATA.name]
        mark = SeriesProgress(forecast.origin, max(bars, default=-1))
        furthest = self._furthest.get(series, [])
        if mark.origin not in furthest:
            self._furthest[series] = sorted([*furthest, mark.origin], reverse=True)[:2]
        if key not in self._marks or mark > self._marks[key]:
            self._marks[key] = mark
            self._last_ids[key] = forecast.forecast_id

    def mark(self, series: SeriesKey, version: str) -> SeriesProgress | None:
        """Return how far a version has come with a series; None: it has not begun."""
        return self._marks.get((series, version))

    def furthest(self, series: SeriesKey) -> datetime | None:
        """Return the last origin of a series that any version has come to."""
        return next(iter(self._furthest.get(series, ())), None)

    def at_work(self, series: SeriesKey, version: str) -> bool:
        """Tell whether a version was among those that forecast a series last.

        Versions forecast an origin one after the other: one that ended in between is one origin behind the others.
        """
        mark = self.mark(series, version)
        return mark is not None and mark.origin >= self._furthest[series][-1]

    def has(self, forecast: ForecastIssued) -> bool:
        """Tell whether this very forecast was the last one issued for its series and version."""
        key = ((forecast.symbol, forecast.interval), forecast.model.version)
        return self._last_ids.get(key) == forecast.forecast_id


class PendingForecasts:
    """Folds bars into the forecasts that are owed.

    A version at work on a series owes one forecast for each newer bar, and for a correction of the newest; it reads
    bars up to that one only, as they stood when it came. It owes nothing for history: neither one that has not begun,
    nor any for a bar that came after the session that its forecast speaks of, as in a backfill. Such a version waits,
    and goes on at the newest bar once all is read that the log held at a look at its end (`begin`).

    Args:
        issued: what was issued already.
        interval: the bars to forecast; others are passed over.
        sessions: how many bars a forecast reads.
        late: tells of a bar whether the session after it had closed when it was recorded.
    """

    def __init__(
        self, issued: IssuedForecasts, interval: str, sessions: int, late: Callable[[BarClosed], bool]
    ) -> None:
        self.pending: dict[tuple[datetime, SeriesKey], PendingForecast] = {}
        self.recent_bars: dict[SeriesKey, RecentBars] = {}
        self._issued = issued
        self._interval = interval
        self._sessions = sessions
        self._late = late
        self._newest: dict[SeriesKey, Record] = {}  # the newest bar's
        self._waiting: set[tuple[SeriesKey, str]] = set()
        self._begun: set[tuple[SeriesKey, str]] = set()

    def fold(self, record: Record, bar: BarClosed, versions: Iterable[str]) -> bool:
        """Take a bar up; tell whether it moved so far that a split may explain it.

        Args:
            versions: the model versions at work now.
        """
        if bar.interval != self._interval:
            return False
        series = (bar.symbol, bar.interval)
        recent = self.recent_bars.setdefault(series, RecentBars(keep=2 * self._sessions))
        if not recent.fold(log_event(bar, record)):
            return False
        self._newest[series] = record
        behind = {version for version in versions if self._behind(series, version)}
        goes_on = {version for version in behind if self._goes_on(series, version)}
        if goes_on and self._late(bar):
            goes_on = set()
        self._waiting |= {(series, version) for version in behind - goes_on}
        self._owe(series, goes_on)
        return recent.jump() > SPLIT_LIKE

    def take_up(self, versions: Iterable[str]) -> None:
        """Let versions that were just loaded begin at each series' newest bar.

        At once, where others have forecast from that bar: so a new champion misses no bar that is on its way.
        """
        for series, recent in self.recent_bars.items():
            behind = {version for version in versions if self._behind(series, version)}
            if self._issued.furthest(series) == recent.newest.event.closed_at:
                self._owe(series, behind)
            else:
                self._waiting |= {(series, version) for version in behind}

    def begin(self, versions: Iterable[str], ends: Mapping[Partition, int], positions: Mapping[Partition, int]) -> None:
        """Let waiting versions go on with the series of which all is read that the log held at a look.

        Args:
            versions: those at work now; of others nothing is owed.
            ends: where each partition ended at a look after the versions were loaded.
            positions: the next offset to read of each.
        """
        at_work = set(versions)
        begun: defaultdict[SeriesKey, set[str]] = defaultdict(set)
        for series, version in self._waiting:
            newest = self._newest[series]
            place = (newest.topic, newest.partition)
            if version not in at_work or newest.offset < ends.get(place, 0) <= positions.get(place, 0):
                begun[series].add(version)
        for series, found in begun.items():
            self._owe(series, {version for version in found & at_work if self._behind(series, version)})
            self._waiting -= {(series, version) for version in found}

    @property
    def waiting(self) -> bool:
        """Tell whether some version waits to go on with a series."""
        return bool(self._waiting)

    def next_round(self) -> list[PendingForecast]:
        """Return what is owed for the earliest origin, by symbol: all that closed together."""
        origin = min(origin for origin, _ in self.pending)
        return [self.pending[key] for key in sorted(self.pending) if key[0] == origin]

    def done(self, round_: Iterable[PendingForecast]) -> None:
        """Remove forecasts that were made."""
        for due in round_:
            self.pending.pop((due.origin, due.series), None)

    def keep_only(self, partitions: Iterable[Partition]) -> None:
        """Forget the series of partitions that are another process's now."""
        kept = set(partitions)
        gone = {series for series, record in self._newest.items() if (record.topic, record.partition) not in kept}
        for series in gone:
            del self.recent_bars[series], self._newest[series]
        self._waiting = {(series, version) for series, version in self._waiting if series not in gone}
        self._begun = {(series, version) for series, version in self._begun if series not in gone}
        self.pending = {key: due for key, due in self.pending.items() if due.series not in gone}

    def _behind(self, series: SeriesKey, version: str) -> bool:
        """Tell whether a version has not forecast from the newest bar as it is now."""
        before = self._issued.mark(series, version)
        return before is None or before < (self.recent_bars[series].newest.event.closed_at, self._newest[series].offset)

    def _goes_on(self, series: SeriesKey, version: str) -> bool:
        """Tell whether a version has begun with a series, here or in an earlier process."""
        return (series, version) in self._begun or self._issued.at_work(series, version)

    def _owe(self, series: SeriesKey, versions: Iterable[str]) -> None:
        found = frozenset(versions)
        if not found:
            return
        pairs = {(series, version) for version in found}
        self._begun |= pairs
        self._waiting -= pairs
        bars = self.recent_bars[series].last(self._sessions)
        key = (bars[-1].event.closed_at, series)
        if key in self.pending:  # a correction came before the forecast went out: one forecast, of the correction
            found |= self.pending[key].versions
        self.pending[key] = PendingForecast(series, bars, self._newest[series], found)
