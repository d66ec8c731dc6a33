"""The SQLite files of saved states: how they are opened, how far they reach, what they hold."""

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from contracts.topics import topic_named
from streaming.headers import SEQUENCE
from streaming.records import Record

_POSITIONS = """
CREATE TABLE IF NOT EXISTS positions (
    topic TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, last_id TEXT NOT NULL, acted INTEGER,
    sequence INTEGER
) WITHOUT ROWID;
"""
MOVE = """
INSERT INTO positions VALUES (?, ?, ?, ?, NULL, ?)
ON CONFLICT DO UPDATE SET last = excluded.last, last_id = excluded.last_id,
    sequence = ifnull(excluded.sequence, sequence)
"""
REACHED = "SELECT topic, last FROM positions"
ACT = "UPDATE positions SET acted = ?1 WHERE topic = ?2 AND ?1 > ifnull(acted, -1)"
_LOCKED_SECONDS = 10.0  # for which another process may hold a file: it commits a chunk at a time


def connected(path: Path) -> sqlite3.Connection:
    """Open a file, or make it."""
    file = sqlite3.connect(path, timeout=_LOCKED_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")  # a power cut loses the newest commits, never the file
        file.executescript(_POSITIONS)
    except BaseException:
        file.close()
        raise
    return file


def position_of(file: sqlite3.Connection, topic: str, low: int) -> tuple[int, int, str]:
    """Return where the log began when it was folded, the last event's offset and its id; `low` before the first."""
    row = file.execute("SELECT first, last, last_id FROM positions WHERE topic = ?", (topic,)).fetchone()
    found: tuple[int, int, str] = row or (low, low - 1, "")
    return found


def sequence_after(topic: str, records: Sequence[Record]) -> int | None:
    """Return the number after that of the newest event of a topic that has one; None where none has."""
    if not topic_named(topic).appended:
        return None
    numbers = (each.headers.get(SEQUENCE) for each in reversed(records) if each.topic == topic)
    return next((int(number) + 1 for number in numbers if number), None)


def sequence_in(file: sqlite3.Connection, topic: str) -> int:
    """Return the sequence number of the next event of a topic; where none has one yet, they begin with its offset."""
    row = file.execute("SELECT ifnull(sequence, last + 1) FROM positions WHERE topic = ?", (topic,)).fetchone()
    return row[0] if row else 0


def content_sha256(file: sqlite3.Connection) -> str:
    """Return the SHA-256 of what all tables hold, without how far it reaches."""
    digest = sha256()
    tables = file.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'positions' ORDER BY name")
    for (table,) in tables.fetchall():
        columns = ", ".join(f'"{name}"' for _, name, *_ in file.execute(f"PRAGMA table_info({table})"))
        for row in file.execute(f"SELECT {columns} FROM {table} ORDER BY {columns}"):
            digest.update(repr((table, row)).encode())
    return digest.hexdigest()


def remove(path: Path) -> None:
    """Remove a file, and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
