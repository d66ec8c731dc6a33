"""Which forecast steps can be settled: folded from forecasts, from the bars they spoke of, and from scores.  Pure.

A step is settled by the first revision of its bar, and again by each higher one; never twice by the same.
"""

from array import array
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern

from contracts.events import BarClosed, ForecastIssued, ForecastScored
from contracts.measures import INSIDE_80, INSIDE_95
from contracts.parts import NAIVE, ModelRef, OffsetRange
from contracts.topics import STOCK_DATA
from forecasting.data.recent_bars import LogEvent, SeriesKey
from forecasting.scoring.scores import Claim, ErrorScale
from streaming.records import Partition

_NEVER = -1


@dataclass(slots=True)
class OpenForecast:
    """A forecast, packed: there are as many as bars times models, and any may be corrected yet."""

    forecast_id: str
    series: SeriesKey
    origin: datetime
    model: ModelRef
    read: OffsetRange  # of the bars' topic
    input_bars: int
    levels: tuple[float, ...]
    targets: tuple[datetime, ...]
    numbers: "array[float]"  # by step: mean, then the quantiles
    scored: "array[int]"  # by step: the highest revision that settled it
    trained_until: datetime | None  # as whoever issued it says
    measured: ErrorScale | None = None

    def claim(self, index: int) -> Claim:
        """Return a step in full."""
        width = 1 + len(self.levels)
        mean, *values = self.numbers[index * width : (index + 1) * width]
        return Claim(
            forecast_id=self.forecast_id,
            symbol=self.series[0],
            interval=self.series[1],
            origin=self.origin,
            model=self.model,
            step=index + 1,
            target_at=self.targets[index],
            mean=mean,
            levels=self.levels,
            values=values,
        )


@dataclass(frozen=True, slots=True)
class Settlement:
    """A step and the bar that settles it."""

    standing: OpenForecast
    index: int
    bar: LogEvent[BarClosed]


@dataclass(slots=True)
class Revisions:
    """The bars of one series, with all their revisions: what was known is a matter of the offset."""

    keep: int
    _bars: dict[datetime, list[LogEvent[BarClosed]]] = field(default_factory=dict)
    _times: list[datetime] = field(default_factory=list)

    def fold(self, bar: LogEvent[BarClosed]) -> bool:
        """Take a bar up; tell whether it is new, or of a higher revision than known."""
        time = bar.event.closed_at
        held = self._bars.get(time)
        if held is None:
            insort(self._times, time)
            self._bars[time] = [bar]
        elif bar.event.revision > held[-1].event.revision:
            held.append(bar)
        else:
            return False
        if len(self._times) > 2 * self.keep:
            for old in self._times[: self.keep]:
                del self._bars[old]
            del self._times[: self.keep]
        return True

    def at(self, time: datetime) -> LogEvent[BarClosed] | None:
        """Return the highest revision of the bar that closed at a time."""
        held = self._bars.get(time)
        return held[-1] if held else None

    def read(self, origin: datetime, count: int, offset: int) -> list[BarClosed]:
        """Return the last `count` bars up to `origin` as a reader saw them who had come to `offset`."""
        seen: list[BarClosed] = []
        for time in reversed(self._times[: bisect_right(self._times, origin)]):
            known = [bar.event for bar in self._bars[time] if bar.offset <= offset]
            if known:
                seen.append(known[-1])
            if len(seen) == count:
                break
        return seen[::-1]

    @property
    def newest(self) -> datetime:
        """Return the close of the last bar."""
        return self._times[-1]


class Settlements:
    """Folds forecasts, bars and scores, in any order, into the settlements that are due.

    Args:
        keep: how many bars of a series are kept at least; a forecast that comes later than these can be settled
            only by folding again.
    """

    def __init__(self, keep: int = 1000) -> None:
        self.pending: list[Settlement] = []
        self.open = 0  # steps that no bar has settled
        self._keep = keep
        self._standing: dict[str, OpenForecast] = {}
        self._by_target: defaultdict[tuple[SeriesKey, datetime], list[tuple[OpenForecast, int]]] = defaultdict(list)
        self._bars: dict[SeriesKey, Revisions] = {}
        self._partitions: dict[SeriesKey, Partition] = {}
        self._early: dict[tuple[str, int], int] = {}  # scores that came before their forecast
        self._models: dict[ModelRef, ModelRef] = {}
        self._naive: dict[tuple[SeriesKey, datetime], OpenForecast] = {}  # the random walk's, by origin

    def fold_forecast(self, forecast: ForecastIssued) -> bool:
        """Take a forecast up; tell False for one that cannot be scored."""
        if forecast.forecast_id in self._standing:
            return True
        standing = self._packed(forecast)
        if standing is None:
            return False
        self._standing[standing.forecast_id] = standing
        if standing.model.family == NAIVE:
            self._naive[standing.series, standing.origin] = standing
        bars = self._bars.get(standing.series)
        for index, target in enumerate(standing.targets):
            self._by_target[standing.series, target].append((standing, index))
            standing.scored[index] = self._early.pop((standing.forecast_id, index + 1), _NEVER)
            self.open += standing.scored[index] == _NEVER
            if bars is not None and (bar := bars.at(target)) is not None:
                self._settle(standing, index, bar)
        return True

    def fold_bar(self, bar: LogEvent[BarClosed]) -> None:
        """Take a bar up."""
        series = (bar.event.symbol, bar.event.interval)
        self._partitions[series] = (bar.topic, bar.partition)
        if self._bars.setdefault(series, Revisions(self._keep)).fold(bar):
            for standing, index in self._by_target.get((series, bar.event.closed_at), ()):
                self._settle(standing, index, bar)

    def fold_score(self, score: ForecastScored) -> None:
        """Take up that a step was settled."""
        standing = self._standing.get(score.forecast_id)
        if standing is None:
            key = (score.forecast_id, score.step)
            self._early[key] = max(self._early.get(key, _NEVER), score.bar.revision)
            return
        index = score.step - 1
        self.open -= standing.scored[index] == _NEVER
        standing.scored[index] = max(standing.scored[index], score.bar.revision)

    def take(self) -> list[Settlement]:
        """Return the settlements that are due still, in the order of their bars."""
        self.pending = [due for due in self.pending if due.bar.event.revision > due.standing.scored[due.index]]
        return list(self.pending)

    def input_of(self, standing: OpenForecast) -> list[BarClosed]:
        """Return the bars that a forecast read, as it saw them; fewer, if they are not known here."""
        bars = self._bars[standing.series]
        return bars.read(standing.origin, standing.input_bars, standing.read.to_offset)

    def naive_beside(self, standing: OpenForecast, index: int) -> Claim | None:
        """Return what the random walk said of the same step from the same origin; None where it said nothing."""
        beside = self._naive.get((standing.series, standing.origin))
        return beside.claim(index) if beside is not None and index < len(beside.targets) else None

    def last_seen(self, series: SeriesKey, offset: int) -> datetime | None:
        """Return the close of a series' last bar as a reader knew it who had come to `offset`; None: of none known."""
        bars = self._bars.get(series)
        seen = bars.read(bars.newest, 1, offset) if bars else []
        return seen[0].closed_at if seen else None

    def overdue(self) -> int:
        """Count the open steps that a later bar of their symbol has passed by: sessions that never traded."""
        return sum(
            standing.scored[index] == _NEVER
            for (series, target), claims in list(self._by_target.items())
            if series in self._bars and target < self._bars[series].newest
            for standing, index in claims
        )

    def keep_only(self, partitions: Iterable[Partition]) -> None:
        """Forget the bars of partitions that are another process's now."""
        kept = set(partitions)
        gone = {series for series, place in self._partitions.items() if place not in kept}
        for series in gone:
            del self._bars[series], self._partitions[series]
        self.pending = [due for due in self.pending if due.standing.series not in gone]

    def _settle(self, standing: OpenForecast, index: int, bar: LogEvent[BarClosed]) -> None:
        if bar.event.revision > standing.scored[index]:
            self.pending.append(Settlement(standing, index, bar))

    def _packed(self, forecast: ForecastIssued) -> OpenForecast | None:
        """Pack a forecast; None where it lacks what scores are made of."""
        levels = _levels(forecast)
        read = next((part for part in forecast.lineage.inputs if part.topic == STOCK_DATA.name), None)
        if read is None or not {*INSIDE_80, *INSIDE_95} <= set(levels):
            return None
        return OpenForecast(
            forecast_id=forecast.forecast_id,
            series=(intern(forecast.symbol), intern(forecast.interval)),
            origin=forecast.origin,
            model=self._models.setdefault(forecast.model, forecast.model),
            read=read,
            input_bars=forecast.lineage.input_bars,
            levels=levels,
            targets=tuple(step.target_at for step in forecast.steps),
            numbers=array("d", _numbers(forecast)),
            scored=array("l", [_NEVER] * len(forecast.steps)),
            trained_until=forecast.trained_until,
        )


_KNOWN_LEVELS: dict[tuple[float, ...], tuple[float, ...]] = {}


def _levels(forecast: ForecastIssued) -> tuple[float, ...]:
    """Return the levels that all steps have; none if they differ."""
    found: Sequence[tuple[float, ...]] = [tuple(q.level for q in step.quantiles) for step in forecast.steps]
    if not found or len(set(found)) > 1:
        return ()
    return _KNOWN_LEVELS.setdefault(found[0], found[0])


def _numbers(forecast: ForecastIssued) -> Iterator[float]:
    for step in forecast.steps:
        yield step.mean
        yield from (quantile.value for quantile in step.quantiles)
