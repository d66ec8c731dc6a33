"""Numbers for the series of a saved state: rows of millions of bars name theirs by one."""

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256

_TABLE = """
CREATE TABLE IF NOT EXISTS series (
    symbol TEXT, interval TEXT, id INTEGER NOT NULL UNIQUE, PRIMARY KEY (symbol, interval)
) WITHOUT ROWID;
"""


@lru_cache(20_000)
def series_id(symbol: str, interval: str) -> int:
    """Return the number of a series: the same in whatever order series come."""
    return int.from_bytes(sha256(f"{symbol}|{interval}".encode()).digest()[:8]) >> 1  # as SQLite's integers are signed


class SeriesIds:
    """The series that a file tells of, by symbol and interval."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        file.executescript(_TABLE)
        self._noted = {series for (series,) in file.execute("SELECT id FROM series")}

    def of(self, symbol: str, interval: str) -> int:
        """Return a series' number, and note it within the caller's transaction."""
        series = series_id(symbol, interval)
        if series not in self._noted:  # perhaps another process has
            self._file.execute("INSERT OR IGNORE INTO series VALUES (?, ?, ?)", (symbol, interval, series))
            self._noted.add(series)
        return series

    def __iter__(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Yield symbol and interval of each series, and its number."""
        for symbol, interval, series in self._file.execute("SELECT symbol, interval, id FROM series").fetchall():
            yield (symbol, interval), series
