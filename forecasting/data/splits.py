"""The splits of all symbols, of each the highest revision: a table, folded from `corporate-actions`."""

import sqlite3
from dataclasses import dataclass
from datetime import date

from contracts.actions import Split
from contracts.events import CorporateActionAnnounced
from streaming.records import Record

_TABLE = """
CREATE TABLE IF NOT EXISTS splits (
    symbol TEXT, ex_date TEXT, revision INTEGER NOT NULL, ratio REAL NOT NULL,
    partition INTEGER NOT NULL, place INTEGER NOT NULL, schema_id INTEGER NOT NULL, PRIMARY KEY (symbol, ex_date)
) WITHOUT ROWID;
"""
_FOLD = """
INSERT INTO splits VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision,
    ratio = excluded.ratio, partition = excluded.partition, place = excluded.place, schema_id = excluded.schema_id
WHERE excluded.revision > splits.revision
"""
_BETWEEN = """
SELECT ex_date, ratio, partition, place, schema_id FROM splits
WHERE symbol = ? AND ex_date > ? AND ex_date <= ? ORDER BY ex_date
"""


@dataclass(frozen=True, slots=True)
class KnownSplit:
    """A split, and where its announcement stands in the log."""

    split: Split
    partition: int
    offset: int
    schema_id: int


class SplitHistory:
    """Folds corporate actions, in any order, any number of times."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        file.executescript(_TABLE)

    def fold(self, record: Record, action: CorporateActionAnnounced) -> None:
        """Take a corporate action up; what is no split is passed over."""
        if action.kind == "SPLIT":
            told = (action.symbol, action.ex_date.isoformat(), action.revision, action.ratio)
            self._file.execute(_FOLD, (*told, record.partition, record.offset, record.schema_id))

    def between(self, symbol: str, after: date, until: date) -> tuple[KnownSplit, ...]:
        """Return a symbol's splits with `after` < ex_date <= `until`, oldest first."""
        rows = self._file.execute(_BETWEEN, (symbol, after.isoformat(), until.isoformat()))
        return tuple(KnownSplit(Split(date.fromisoformat(day), ratio), *place) for day, ratio, *place in rows)
