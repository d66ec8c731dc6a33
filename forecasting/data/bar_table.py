"""The bars of each series as serving and scoring know them: a table, folded from `stock-data`.

All revisions of a bar are held, with where they stand: what was known is a matter of the offset.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import log
from typing import Any

from contracts.events import BarClosed
from streaming.codec import micros, utc
from streaming.records import Record
from streaming.series_ids import SeriesIds, series_id

SeriesKey = tuple[str, str]  # symbol, interval

SPLIT_LIKE = log(1.15)  # a move at least so large may be a split whose announcement is still on its way

_TABLE = """
CREATE TABLE IF NOT EXISTS bars (
    series INTEGER, closed_at INTEGER, revision INTEGER, partition INTEGER NOT NULL, place INTEGER NOT NULL,
    schema_id INTEGER NOT NULL, close REAL NOT NULL, high REAL NOT NULL, low REAL NOT NULL,
    recorded_at INTEGER NOT NULL, ce_id TEXT, traceparent TEXT, PRIMARY KEY (series, closed_at, revision)
) WITHOUT ROWID;
"""
_FOLD = "INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_PLACED = (
    "SELECT closed_at, revision, partition, place, recorded_at, close, ce_id, traceparent FROM bars WHERE series = ?"
)
_NEWEST = f"{_PLACED} AND place < ? ORDER BY closed_at DESC, revision DESC LIMIT 1"
_OF_CLOSE = f"{_PLACED} AND closed_at = ? ORDER BY place"
# Of a group's rows SQLite gives the columns of the one with the highest revision.
_WINDOW = """
SELECT closed_at, close, high, low, place, schema_id, max(revision) FROM bars
WHERE series = ? AND place <= ? AND closed_at <= ? GROUP BY closed_at ORDER BY closed_at DESC LIMIT ?
"""
_TRIM = """
DELETE FROM bars WHERE series = ?1 AND closed_at < (
    SELECT min(closed_at) FROM
        (SELECT DISTINCT closed_at FROM bars WHERE series = ?1 ORDER BY closed_at DESC LIMIT ?2))
"""
_ALL = 2**62
_HEADERS = ("ce_id", "traceparent")  # by which an effect names its cause


@dataclass(frozen=True, slots=True)
class PlacedBar:
    """A bar and where it stands in the log, as far as it is named as a cause, or settles a forecast."""

    closed_at: datetime
    revision: int
    partition: int
    offset: int
    recorded_at: datetime
    close: float
    headers: Mapping[str, str]

    @classmethod
    def of(cls, record: Record, bar: BarClosed) -> "PlacedBar":
        """Keep of a record what is asked for later."""
        headers = {name: record.headers[name] for name in _HEADERS if name in record.headers}
        return cls(bar.closed_at, bar.revision, record.partition, record.offset, bar.recorded_at, bar.close, headers)

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> "PlacedBar":
        """Read a row of the table."""
        closed_at, revision, partition, place, recorded_at, close, *headers = row
        told = {name: value for name, value in zip(_HEADERS, headers, strict=True) if value is not None}
        return cls(utc(closed_at), revision, partition, place, utc(recorded_at), close, told)


@dataclass(frozen=True, slots=True)
class BarWindow:
    """The last bars of a series as a reader knew them who had come to an offset: columns, oldest first."""

    closed_at: tuple[int, ...]  # microseconds since 1970
    close: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    places: tuple[int, ...]
    schema_ids: tuple[int, ...]

    def jump(self) -> float:
        """Return |ln(close / close before)| of the newest bar: what a split of two for one moves by 0.69."""
        return abs(log(self.close[-1] / self.close[-2])) if len(self.close) > 1 else 0.0


class BarTable:
    """Folds bars, in the order of the log.

    Args:
        series: the numbers of the file's series.
        interval: the bars to keep, all by default; others are passed over.
        keep: how many of a series are kept at least, all by default.
    """

    def __init__(
        self, file: sqlite3.Connection, series: SeriesIds, interval: str | None = None, keep: int | None = None
    ) -> None:
        self._file, self._series, self._interval, self._keep = file, series, interval, keep
        file.executescript(_TABLE)
        counted = file.execute("SELECT series, count(*) FROM bars GROUP BY series") if keep is not None else ()
        self._counts: dict[int, int] = dict(counted)

    def fold(self, record: Record, bar: BarClosed) -> None:
        """Take a bar up."""
        if self._interval not in (None, bar.interval):
            return
        series = self._series.of(bar.symbol, bar.interval)
        prices, headers = (bar.close, bar.high, bar.low), map(record.headers.get, _HEADERS)
        where = (record.partition, record.offset, record.schema_id)
        told = (series, micros(bar.closed_at), bar.revision, *where, *prices, micros(bar.recorded_at), *headers)
        added = self._file.execute(_FOLD, told).rowcount
        if self._keep is not None:
            self._counts[series] = self._counts.get(series, 0) + added

    def newest(self, before: int) -> Iterator[tuple[SeriesKey, PlacedBar]]:
        """Yield the newest bar of each series as known to a reader whose next offset is `before`."""
        for key, series in self._series:
            row = self._file.execute(_NEWEST, (series, before)).fetchone()
            if row is not None:
                yield key, PlacedBar.from_row(row)

    def last(self, series: SeriesKey, until: int) -> PlacedBar | None:
        """Return the newest bar of a series as known to a reader who has read the offset `until`."""
        row = self._file.execute(_NEWEST, (series_id(*series), until + 1)).fetchone()
        return PlacedBar.from_row(row) if row else None

    def revisions(self, series: SeriesKey, closed_at: datetime) -> list[PlacedBar]:
        """Return a bar's revisions in the order of the log, each higher than those before it."""
        risen: list[PlacedBar] = []
        for bar in map(PlacedBar.from_row, self._file.execute(_OF_CLOSE, (series_id(*series), micros(closed_at)))):
            if not risen or bar.revision > risen[-1].revision:
                risen.append(bar)
        return risen

    def window(self, series: SeriesKey, until: int, count: int, origin: datetime | None = None) -> BarWindow:
        """Return the last `count` bars of a series as known to a reader who has read the offset `until`.

        Args:
            origin: close of the last bar to take; the newest by default.
        """
        last = _ALL if origin is None else micros(origin)
        rows = self._file.execute(_WINDOW, (series_id(*series), until, last, count)).fetchall()
        columns = zip(*reversed(rows), strict=True) if rows else iter([()] * 7)
        return BarWindow(*list(columns)[:6])

    def trim(self, *, wholly: bool) -> None:
        """Remove what is older than the last bars; of those, all revisions stay."""
        for series, count in self._counts.items():
            if self._keep is not None and (wholly or count > 2 * self._keep):
                self._counts[series] = count - self._file.execute(_TRIM, (series, self._keep)).rowcount
