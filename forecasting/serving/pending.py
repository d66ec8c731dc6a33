"""Which forecasts are owed: folded from the bars that came and from what was issued already."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from forecasting.data.bar_table import SPLIT_LIKE, BarWindow, PlacedBar, SeriesKey
from forecasting.serving.state import ServingPart
from streaming.records import Partition, Record


@dataclass(frozen=True, slots=True)
class PendingForecast:
    """A forecast owed by some versions: from these bars, because of the newest of them."""

    series: SeriesKey
    bars: BarWindow
    cause: PlacedBar
    versions: frozenset[str]

    @property
    def origin(self) -> datetime:
        """Return the close of the last bar that may be seen."""
        return self.cause.closed_at


class PendingForecasts:
    """Folds bars into the forecasts that are owed.

    A version at work on a series owes one forecast for each newer bar, and for a correction of the newest; it reads
    bars up to that one only, as they stood when it came. It owes nothing for history: neither one that has not begun,
    nor any for a bar that came after the session that its forecast speaks of, as in a backfill. Such a version waits,
    and goes on at the newest bar once all is read that the log held at a look at its end (`begin`).

    Args:
        parts: what is known of bars and of what was issued, by partition number.
        acted: the next offset of bars by partition: of those before it, all that was owed was issued.
        interval: the bars to forecast; others are passed over.
        sessions: how many bars a forecast reads.
        late: tells of a bar whether the session after it had closed when it was recorded.

    Attributes:
        jumped: whether a bar moved so far that a split may explain it, of which nobody has taken note yet.
    """

    def __init__(
        self,
        parts: Mapping[int, ServingPart],
        acted: Mapping[Partition, int],
        interval: str,
        sessions: int,
        late: Callable[[BarClosed], bool],
    ) -> None:
        self.pending: dict[tuple[datetime, SeriesKey], PendingForecast] = {}
        self.newest: dict[SeriesKey, PlacedBar] = {}
        self.jumped = False
        self._parts = parts
        self._interval = interval
        self._sessions = sessions
        self._late = late
        self._acted = {number: offset for (_, number), offset in acted.items()}
        self._reached = {number: offset - 1 for number, offset in self._acted.items()}
        self._waiting: set[tuple[SeriesKey, str]] = set()
        self._begun: set[tuple[SeriesKey, str]] = set()
        for number, offset in self._acted.items():
            self.newest.update(parts[number].bars.newest(offset))

    def fold(self, record: Record, bar: BarClosed, versions: Iterable[str]) -> None:
        """Take a bar up, that its part holds.

        Args:
            versions: the model versions at work now.
        """
        if bar.interval != self._interval:
            return
        self._reached[record.partition] = record.offset
        series = (bar.symbol, bar.interval)
        held = self.newest.get(series)
        if held is not None and (bar.closed_at, bar.revision) <= (held.closed_at, held.revision):
            return
        self.newest[series] = PlacedBar.of(record, bar)
        behind = {version for version in versions if self._behind(series, version)}
        goes_on = {version for version in behind if self._goes_on(series, version)}
        if goes_on and self._late(bar):
            goes_on = set()
        self._waiting |= {(series, version) for version in behind - goes_on}
        self._owe(series, goes_on)

    def take_up(self, versions: Iterable[str]) -> None:
        """Let versions that were just loaded begin at each series' newest bar.

        At once, where others have forecast from that bar: so a new champion misses no bar that is on its way.
        """
        for part in self._parts.values():
            part.issued.forget()
        for series, newest in self.newest.items():
            behind = {version for version in versions if self._behind(series, version)}
            if self._parts[newest.partition].issued.furthest(series) == newest.closed_at:
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
            newest = self.newest[series]
            place = (STOCK_DATA.name, newest.partition)
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

    def acted(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return up to where all that is owed was issued; from there bars have to be read again after a restart.

        What waits for the newest bar will wait again, but not for its correction, whose price may be the same.

        Args:
            positions: the next offset to read of each partition of bars.
        """
        reached = dict(positions)
        causes = [due.cause for due in self.pending.values()]
        causes += [self.newest[series] for series, version in self._waiting if self._corrected(series, version)]
        for newest in causes:
            place = (STOCK_DATA.name, newest.partition)
            reached[place] = min(reached[place], newest.offset)
        return reached

    def _corrected(self, series: SeriesKey, version: str) -> bool:
        """Tell whether a version has forecast from the close of the newest bar."""
        newest = self.newest[series]
        mark = self._parts[newest.partition].issued.mark(series, version)
        return mark is not None and mark.origin == newest.closed_at

    def _behind(self, series: SeriesKey, version: str) -> bool:
        """Tell whether a version has not forecast from the newest bar as it is now."""
        newest = self.newest[series]
        before = self._parts[newest.partition].issued.mark(series, version)
        if newest.offset < self._acted[newest.partition] and self._corrected(series, version):
            return False  # by a correction that changed no price: it has no forecast of its own
        return before is None or before < (newest.closed_at, newest.offset)

    def _goes_on(self, series: SeriesKey, version: str) -> bool:
        """Tell whether a version has begun with a series, here or in an earlier process."""
        issued = self._parts[self.newest[series].partition].issued
        return (series, version) in self._begun or issued.at_work(series, version)

    def _owe(self, series: SeriesKey, versions: Iterable[str]) -> None:
        found = frozenset(versions)
        if not found:
            return
        pairs = {(series, version) for version in found}
        self._begun |= pairs
        self._waiting -= pairs
        newest = self.newest[series]
        bars = self._parts[newest.partition].bars.window(series, self._reached[newest.partition], self._sessions)
        self.jumped |= bars.jump() > SPLIT_LIKE
        key = (newest.closed_at, series)
        if key in self.pending:  # a correction came before the forecast went out: one forecast, of the correction
            found |= self.pending[key].versions
        self.pending[key] = PendingForecast(series, bars, newest, found)
