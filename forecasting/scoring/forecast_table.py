"""The forecasts that may have to be scored, and how far each is: a table, folded from forecasts and scores.

Any forecast may be scored again, when a bar that it spoke of is corrected; so all are held.
"""

import sqlite3
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import chain

from contracts.events import ForecastIssued, ForecastScored
from contracts.measures import INSIDE_80, INSIDE_95
from contracts.parts import ModelRef
from contracts.topics import STOCK_DATA
from forecasting.data.bar_table import SeriesKey
from forecasting.scoring.scores import Claim
from streaming.codec import micros, utc
from streaming.records import Record
from streaming.series_ids import SeriesIds, series_id

_MODEL = ("name", "version", "family", "run_id", "role")
NEVER = -1  # the revision that has scored a step which none has

_TABLES = """
CREATE TABLE IF NOT EXISTS forecasts (
    series INTEGER, origin INTEGER, forecast_id TEXT, place INTEGER, model INTEGER, read_until INTEGER,
    input_bars INTEGER, trained_until INTEGER, levels BLOB, targets BLOB, numbers BLOB, scored BLOB NOT NULL,
    open INTEGER NOT NULL, PRIMARY KEY (series, origin, forecast_id)
);
CREATE INDEX IF NOT EXISTS open_forecasts ON forecasts (series, open) WHERE open > 0;
CREATE TABLE IF NOT EXISTS spans (series INTEGER PRIMARY KEY, span INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS models (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, family TEXT NOT NULL, run_id TEXT NOT NULL,
    role TEXT NOT NULL
);
"""
_FOLD = """
INSERT INTO forecasts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    place = excluded.place, model = excluded.model, read_until = excluded.read_until, input_bars = excluded.input_bars,
    trained_until = excluded.trained_until, levels = excluded.levels, targets = excluded.targets,
    numbers = excluded.numbers, scored = excluded.scored, open = excluded.open
"""
# A score may come before its forecast: of that, all else is missing.
_FOLD_SCORE = """
INSERT INTO forecasts (series, origin, forecast_id, scored, open) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET scored = excluded.scored, open = excluded.open
"""
_SPAN = "INSERT INTO spans VALUES (?, ?) ON CONFLICT DO UPDATE SET span = max(span, excluded.span)"
_STANDING = """
SELECT forecast_id, origin, model, read_until, input_bars, trained_until, levels, targets, numbers, scored
FROM forecasts WHERE series = ? AND origin BETWEEN ? AND ? AND numbers IS NOT NULL ORDER BY place
"""
_OPEN = "SELECT series, targets, scored FROM forecasts WHERE open > 0"


@dataclass(frozen=True, slots=True)
class StandingForecast:
    """A forecast as it is scored; times of targets in microseconds since 1970."""

    forecast_id: str
    series: SeriesKey
    origin: datetime
    model: ModelRef
    read_until: int  # the last offset of bars that it read
    input_bars: int
    trained_until: datetime | None  # as whoever issued it says
    levels: tuple[float, ...]
    targets: Sequence[int]
    numbers: Sequence[float]  # by step: mean, then the quantiles
    scored: Sequence[int]  # by step: the highest revision that has scored it

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
            target_at=utc(self.targets[index]),
            mean=mean,
            levels=self.levels,
            values=values,
        )


class ForecastTable:
    """Folds forecasts and scores, in any order, any number of times."""

    def __init__(self, file: sqlite3.Connection, series: SeriesIds) -> None:
        self._file, self._series = file, series
        file.executescript(_TABLES)
        # How long after its origin the last target of a series' forecasts is, at most.
        self._spans: dict[int, int] = dict(file.execute("SELECT series, span FROM spans"))
        rows = file.execute(f"SELECT id, {', '.join(_MODEL)} FROM models")
        self._models = {number: ModelRef(**dict(zip(_MODEL, fields, strict=True))) for number, *fields in rows}

    def fold(self, record: Record, forecast: ForecastIssued) -> None:
        """Take a forecast up, if it can be scored."""
        if not can_be_scored(forecast):
            return
        series, origin = self._series.of(forecast.symbol, forecast.interval), micros(forecast.origin)
        held = self._scored(series, origin, forecast.forecast_id)
        if held is not None and held[1]:
            return  # issued twice: the first one stands
        steps = forecast.steps
        scored = array("q", held[0] if held else ())
        scored.extend([NEVER] * (len(steps) - len(scored)))
        numbers = chain.from_iterable((step.mean, *(q.value for q in step.quantiles)) for step in steps)
        targets = array("q", [micros(step.target_at) for step in steps])
        row = (
            *(series, origin, forecast.forecast_id, record.offset, self._model(forecast.model)),
            *(_read(forecast), forecast.lineage.input_bars, forecast.trained_until and micros(forecast.trained_until)),
            array("d", [q.level for q in steps[0].quantiles]).tobytes(),
            *(targets.tobytes(), array("d", numbers).tobytes(), scored.tobytes(), scored.count(NEVER)),
        )
        self._file.execute(_FOLD, row)
        if self._spans.get(series, -1) < (span := targets[-1] - origin):
            self._file.execute(_SPAN, (series, span))
            self._spans[series] = span

    def fold_score(self, score: ForecastScored) -> None:
        """Take up that a step was scored."""
        series, origin = self._series.of(score.symbol, score.interval), micros(score.origin)
        held = self._scored(series, origin, score.forecast_id)
        scored = array("q", held[0] if held else ())
        scored.extend([NEVER] * (score.step - len(scored)))
        if scored[score.step - 1] < score.bar.revision:
            scored[score.step - 1] = score.bar.revision
            still_open = scored.count(NEVER) if held is not None and held[1] else 0
            self._file.execute(_FOLD_SCORE, (series, origin, score.forecast_id, scored.tobytes(), still_open))

    def speaking_of(self, series: SeriesKey, closed_at: datetime) -> list[StandingForecast]:
        """Return the forecasts that may speak of a bar, by its series and close, in the order of the log."""
        span, target = self._spans.get(series_id(*series)), micros(closed_at)
        return [] if span is None else self._standing(series, target - span, target - 1)

    def from_origin(self, series: SeriesKey, origin: datetime) -> list[StandingForecast]:
        """Return the forecasts of a series from an origin, in the order of the log."""
        return self._standing(series, micros(origin), micros(origin))

    def counts(self, newest: dict[SeriesKey, datetime]) -> tuple[int, int]:
        """Count the steps that no bar has scored, and those of them that a later bar has passed by.

        Args:
            newest: close of the last bar of each series.
        """
        last, steps, passed = {series_id(*key): micros(closed_at) for key, closed_at in newest.items()}, 0, 0
        for series, targets, scored in self._file.execute(_OPEN):
            missing = [at for at, by in zip(array("q", targets), array("q", scored), strict=True) if by == NEVER]
            steps += len(missing)
            passed += sum(at < last.get(series, at) for at in missing)
        return steps, passed

    def _standing(self, series: SeriesKey, first: int, last: int) -> list[StandingForecast]:
        rows = self._file.execute(_STANDING, (series_id(*series), first, last))
        return [
            StandingForecast(
                forecast_id=name,
                series=series,
                origin=utc(origin),
                model=self._models[model],
                read_until=read_until,
                input_bars=input_bars,
                trained_until=None if trained_until is None else utc(trained_until),
                levels=tuple(array("d", levels)),
                targets=array("q", targets),
                numbers=array("d", numbers),
                scored=array("q", scored),
            )
            for name, origin, model, read_until, input_bars, trained_until, levels, targets, numbers, scored in rows
        ]

    def _scored(self, series: int, origin: int, forecast_id: str) -> tuple[bytes, bool] | None:
        """Return what is known of a forecast: by step the revision that scored it, and whether it was seen itself."""
        asked = "SELECT scored, numbers IS NOT NULL FROM forecasts WHERE series = ? AND origin = ? AND forecast_id = ?"
        found: tuple[bytes, bool] | None = self._file.execute(asked, (series, origin, forecast_id)).fetchone()
        return found

    def _model(self, model: ModelRef) -> int:
        """Return the number of a version in a role, the same in whatever order they come."""
        fields = [getattr(model, name) for name in _MODEL]
        number = int.from_bytes(sha256("|".join(fields).encode()).digest()[:8]) >> 1
        if number not in self._models:
            self._file.execute("INSERT OR IGNORE INTO models VALUES (?, ?, ?, ?, ?, ?)", (number, *fields))
            self._models[number] = model
        return number


def can_be_scored(forecast: ForecastIssued) -> bool:
    """Tell whether a forecast has what scores are made of: the bars that it read, and the intervals at each step."""
    levels = {tuple(quantile.level for quantile in step.quantiles) for step in forecast.steps}
    return len(levels) == 1 and {*INSIDE_80, *INSIDE_95} <= set(levels.pop()) and _read(forecast) >= 0


def _read(forecast: ForecastIssued) -> int:
    """Return the last offset of bars that a forecast read; -1 where it does not say."""
    return next((part.to_offset for part in forecast.lineage.inputs if part.topic == STOCK_DATA.name), -1)
