"""What was issued already: a table, folded from the output topic, so that nothing is published twice."""

import sqlite3
from datetime import datetime
from typing import NamedTuple

from contracts.events import ForecastIssued
from contracts.topics import STOCK_DATA
from forecasting.data.bar_table import SeriesKey
from streaming.codec import micros, utc
from streaming.series_ids import SeriesIds, series_id

_TABLES = """
CREATE TABLE IF NOT EXISTS issued (
    series INTEGER, version TEXT, origin INTEGER NOT NULL, place INTEGER NOT NULL, forecast_id TEXT NOT NULL,
    PRIMARY KEY (series, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origins (series INTEGER, origin INTEGER, PRIMARY KEY (series, origin)) WITHOUT ROWID;
"""
_FOLD = """
INSERT INTO issued VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    origin = excluded.origin, place = excluded.place, forecast_id = excluded.forecast_id
WHERE (excluded.origin, excluded.place) > (issued.origin, issued.place)
"""
_LAST_TWO = "SELECT origin FROM origins WHERE series = ? ORDER BY origin DESC LIMIT 2"


class SeriesProgress(NamedTuple):
    """How far a model version has come with a series: the origin, and the offset of the newest bar it read."""

    origin: datetime
    offset: int


class _Mark(NamedTuple):
    """How far a version has come with a series, if it has begun, and the forecast by which."""

    progress: SeriesProgress | None
    forecast_id: str


class IssuedForecasts:
    """Folds forecasts, in any order, any number of times.

    Args:
        series: the numbers of the file's series.
        model_name: whose forecasts count.
    """

    def __init__(self, file: sqlite3.Connection, series: SeriesIds, model_name: str) -> None:
        self._file, self._series, self._model_name = file, series, model_name
        file.executescript(_TABLES)
        self._marks: dict[tuple[SeriesKey, str], _Mark] = {}  # as far as asked for
        self._origins: dict[SeriesKey, tuple[datetime, ...]] = {}

    def fold(self, forecast: ForecastIssued) -> None:
        """Take up a forecast."""
        if forecast.model.name != self._model_name:
            return
        key = (forecast.symbol, forecast.interval)
        series, version, origin = self._series.of(*key), forecast.model.version, micros(forecast.origin)
        place = max((part.to_offset for part in forecast.lineage.inputs if part.topic == STOCK_DATA.name), default=-1)
        changed = self._file.execute(_FOLD, (series, version, origin, place, forecast.forecast_id)).rowcount
        if changed and (key, version) in self._marks:
            self._marks[key, version] = _Mark(SeriesProgress(forecast.origin, place), forecast.forecast_id)
        if self._file.execute("INSERT OR IGNORE INTO origins VALUES (?, ?)", (series, origin)).rowcount:
            kept = self._file.execute(_LAST_TWO, (series,)).fetchall()
            self._file.execute("DELETE FROM origins WHERE series = ? AND origin < ?", (series, kept[-1][0]))
            self._origins.pop(key, None)

    def mark(self, series: SeriesKey, version: str) -> SeriesProgress | None:
        """Return how far a version has come with a series; None: it has not begun."""
        return self._mark(series, version).progress

    def furthest(self, series: SeriesKey) -> datetime | None:
        """Return the last origin of a series that any version has come to."""
        return next(iter(self._last_two(series)), None)

    def at_work(self, series: SeriesKey, version: str) -> bool:
        """Tell whether a version was among those that forecast a series last.

        Versions forecast an origin one after the other: one that ended in between is one origin behind the others.
        """
        mark = self.mark(series, version)
        return mark is not None and mark.origin >= self._last_two(series)[-1]

    def has(self, forecast: ForecastIssued) -> bool:
        """Tell whether this very forecast was the last one issued for its series and version."""
        return (
            self._mark((forecast.symbol, forecast.interval), forecast.model.version).forecast_id == forecast.forecast_id
        )

    def forget(self) -> None:
        """Let go of what was asked for: other versions will be."""
        self._marks.clear()

    def _mark(self, series: SeriesKey, version: str) -> _Mark:
        key = (series, version)
        if key not in self._marks:
            asked = "SELECT origin, place, forecast_id FROM issued WHERE series = ? AND version = ?"
            row = self._file.execute(asked, (series_id(*series), version)).fetchone()
            self._marks[key] = _Mark(SeriesProgress(utc(row[0]), row[1]), row[2]) if row else _Mark(None, "")
        return self._marks[key]

    def _last_two(self, series: SeriesKey) -> tuple[datetime, ...]:
        """Return the last two origins of a series, newest first."""
        if series not in self._origins:
            rows = self._file.execute(_LAST_TWO, (series_id(*series),))
            self._origins[series] = tuple(utc(origin) for (origin,) in rows)
        return self._origins[series]
