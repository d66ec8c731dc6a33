"""Which steps of forecasts can be settled: found as bars and forecasts are read, whichever comes first.

A step is settled by the first revision of its bar, and again by each higher one; never twice by the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.events import BarClosed, ForecastIssued
from contracts.parts import NAIVE
from contracts.topics import STOCK_DATA
from forecasting.data.bar_table import PlacedBar, SeriesKey
from forecasting.scoring.forecast_table import StandingForecast
from forecasting.scoring.state import ScoringPart
from streaming.codec import micros, utc
from streaming.records import Partition, Record


@dataclass(frozen=True, slots=True)
class Settlement:
    """A step, the bar that settles it, and what the random walk said from the same origin."""

    standing: StandingForecast
    index: int
    bar: PlacedBar
    naive: StandingForecast | None


class Settlements:
    """Finds the settlements that are due.

    Args:
        parts: what is known of bars and forecasts, by partition number; they hold what is taken here.
        positions: the next offset of bars that is taken, by partition.
    """

    def __init__(self, parts: Mapping[int, ScoringPart], positions: Mapping[Partition, int]) -> None:
        self._parts = parts
        self._due: dict[tuple[str, int, int], Settlement] = {}  # by forecast, step and revision
        # Close of each series' last bar, by partition number.
        self._newest: dict[int, dict[SeriesKey, datetime]] = {
            number: {series: bar.closed_at for series, bar in parts[number].bars.newest(offset)}
            for (topic, number), offset in positions.items()
            if topic == STOCK_DATA.name
        }

    def take_bar(self, record: Record, bar: BarClosed) -> None:
        """Find the steps that a bar settles: a revision that is not the highest so far settles nothing."""
        series, part = (bar.symbol, bar.interval), self._parts[record.partition]
        newest = self._newest.setdefault(record.partition, {})
        newest[series] = max(bar.closed_at, newest.get(series, bar.closed_at))
        standing = part.forecasts.speaking_of(series, bar.closed_at)
        if not standing:
            return
        risen = {placed.offset: placed for placed in part.bars.revisions(series, bar.closed_at)}
        if placed := risen.get(record.offset):
            target = micros(bar.closed_at)
            naive = {each.origin: each for each in standing if each.model.family == NAIVE}
            for each in standing:
                if target in each.targets:
                    self._owe(each, each.targets.index(target), placed, naive.get(each.origin))

    def take_forecast(self, record: Record, forecast: ForecastIssued) -> None:
        """Find the steps of a forecast whose bars came before it, in all their revisions."""
        series, part = (forecast.symbol, forecast.interval), self._parts[record.partition]
        newest = self._newest.get(record.partition, {}).get(series)
        if newest is None or newest < forecast.steps[0].target_at:
            return
        standing = part.forecasts.from_origin(series, forecast.origin)
        naive = next((each for each in reversed(standing) if each.model.family == NAIVE), None)
        for each in standing:
            if each.forecast_id == forecast.forecast_id:
                for index, target in enumerate(each.targets):
                    for placed in part.bars.revisions(series, utc(target)):
                        self._owe(each, index, placed, naive)

    def due(self) -> list[Settlement]:
        """Return the settlements that are due."""
        return list(self._due.values())

    def clear(self) -> None:
        """Let go of them: they were carried out."""
        self._due.clear()

    def counts(self) -> tuple[int, int]:
        """Count the steps that no bar has scored, and those of them that a later bar has passed by."""
        counts = [self._parts[number].forecasts.counts(newest) for number, newest in self._newest.items()]
        return sum(steps for steps, _ in counts), sum(passed for _, passed in counts)

    def _owe(self, standing: StandingForecast, index: int, bar: PlacedBar, naive: StandingForecast | None) -> None:
        if bar.revision > standing.scored[index]:
            self._due[standing.forecast_id, index, bar.revision] = Settlement(standing, index, bar, naive)
