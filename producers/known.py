"""What the log holds of one partition number's symbols: the part of the ledger that is saved."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from contracts.events import BarClosed, CorporateActionAnnounced
from producers.actions import ActionKey, KnownAction
from producers.bars import KnownBar
from streaming.codec import micros, utc
from streaming.records import Record
from streaming.series_ids import SeriesIds, series_id


@dataclass(frozen=True, slots=True)
class Known:
    """What the log holds of one symbol.

    Attributes:
        actions: by symbol, kind and ex-date.
        bars: by their closes.
    """

    actions: dict[ActionKey, KnownAction] = field(default_factory=dict)
    bars: dict[datetime, KnownBar] = field(default_factory=dict)


class LedgerPart:
    """Folds bars and corporate actions; of each the highest revision counts, told last, in whatever order they come."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        self._series = SeriesIds(file)
        file.executescript(_TABLES)

    def fold(self, record: Record) -> None:
        """Take note of an event."""
        if isinstance(event := record.event, BarClosed):
            bar, series = KnownBar.of(event), self._series.of(event.symbol, event.interval)
            told = (bar.revision, record.offset, bar.payload_sha256, *bar.content, bar.vwap, bar.trades)
            self._file.execute(_FOLD_BAR, (series, micros(event.closed_at), *told))
        elif isinstance(event, CorporateActionAnnounced):
            action, day = KnownAction.of(event), event.ex_date.isoformat()
            key = (event.symbol, event.kind, day)
            self._file.execute(_FOLD_ACTION, (*key, action.revision, record.offset, action.value))

    def tell(self, known: Known, symbol: str, interval: str, first: datetime | None, until: datetime | None) -> None:
        """Add what is known of a symbol: its actions, and its bars that closed from `first` to `until` (None: none)."""
        for kind, day, revision, value in self._file.execute(_ACTIONS, (symbol,)):
            known.actions[symbol, kind, date.fromisoformat(day)] = KnownAction(revision, value)
        series = series_id(symbol, interval)
        if first is None or until is None:
            return
        for row in self._file.execute(_BARS, (series, micros(first), micros(until))):
            closed_at, revision, payload, open_, high, low, close, volume, vwap, trades = row
            content = (open_, high, low, close, volume)
            known.bars[utc(closed_at)] = KnownBar(revision, payload, content, vwap, trades)

    def newest(self) -> Iterator[tuple[tuple[str, str], datetime]]:
        """Yield symbol and interval of each series, and the close of its last bar."""
        for series, name in self._series:
            (last,) = self._file.execute("SELECT max(closed_at) FROM bars WHERE series = ?", (name,)).fetchone()
            if last is not None:
                yield series, utc(last)

    def trim(self, *, wholly: bool) -> None:
        """Keep all: any bar may be corrected yet."""


_TABLES = """
CREATE TABLE IF NOT EXISTS bars (
    series INTEGER, closed_at INTEGER, revision INTEGER NOT NULL, place INTEGER NOT NULL,
    payload_sha256 TEXT NOT NULL, open REAL NOT NULL, high REAL NOT NULL, low REAL NOT NULL, close REAL NOT NULL,
    volume REAL NOT NULL, vwap REAL, trades INTEGER, PRIMARY KEY (series, closed_at)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS actions (
    symbol TEXT, kind TEXT, ex_date TEXT, revision INTEGER NOT NULL, place INTEGER NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (symbol, kind, ex_date)
) WITHOUT ROWID;
"""
# Of what was told twice under one revision, the later place in the log counts.
_FOLD_BAR = """
INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    revision = excluded.revision, place = excluded.place, payload_sha256 = excluded.payload_sha256,
    open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close, volume = excluded.volume,
    vwap = excluded.vwap, trades = excluded.trades
WHERE (excluded.revision, excluded.place) > (bars.revision, bars.place)
"""
_FOLD_ACTION = """
INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    revision = excluded.revision, place = excluded.place, value = excluded.value
WHERE (excluded.revision, excluded.place) > (actions.revision, actions.place)
"""
_ACTIONS = "SELECT kind, ex_date, revision, value FROM actions WHERE symbol = ?"
_BARS = """
SELECT closed_at, revision, payload_sha256, open, high, low, close, volume, vwap, trades FROM bars
WHERE series = ? AND closed_at BETWEEN ? AND ?
"""
