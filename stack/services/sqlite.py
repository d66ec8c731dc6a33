"""SQLite databases, as files of a home."""

import sqlite3
from contextlib import closing
from pathlib import Path

_PATIENCE = 60.0  # seconds, for a database that is being written to


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment, whoever writes to it."""
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)
