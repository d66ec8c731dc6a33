"""State that was folded of the log, kept on disk with its position: one SQLite file for each partition number.

What was folded and how far it reaches are committed together, so a process that was killed goes on where it was.  A
state is only a shortcut: one that was made by other code, or of another log, is thrown away and folded again.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

import structlog

from contracts.topics import Topic
from streaming.ranges import topic_epoch, watermarks
from streaming.reader import read_range
from streaming.records import DeadRecord, Partition, Record
from streaming.settings import StreamSettings

log = structlog.get_logger()

_POSITIONS = """
CREATE TABLE IF NOT EXISTS positions (
    topic TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, last_id TEXT NOT NULL
) WITHOUT ROWID;
"""
_MOVE = """
INSERT INTO positions VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET last = excluded.last, last_id = excluded.last_id
WHERE excluded.last > positions.last
"""
_CHUNK = 5000  # events that are committed together
_LOCKED_SECONDS = 60.0  # for which another process may hold a file: it commits a chunk at a time

OnDead = Callable[[DeadRecord], None]


class SavedPart(Protocol):
    """What a service has folded of one partition number, in an SQLite file.  Folding an event twice is as once.

    Attributes:
        TABLES: SQL that makes its tables, unless they are there; each has a primary key, its first columns.
    """

    TABLES: ClassVar[str]

    def __init__(self, file: sqlite3.Connection) -> None: ...

    def fold(self, record: Record) -> None:
        """Take note of an event; the caller commits."""
        ...


_Part = TypeVar("_Part", bound=SavedPart)


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a partition number's saved state is what folding the log again gives, and of how many events."""

    number: int
    events: int
    equal: bool


class SavedState(Generic[_Part]):
    """The saved parts of one service, of topics whose events of one key stand in the same partition number.

    Several processes may fold the same log into the same files.

    Args:
        folder: of this service alone.
        part: what folds.
        code: hash of the code of that.
        on_dead: called with each unreadable message that is passed over.
        patience: seconds that the broker has for an answer.

    Attributes:
        parts: by partition number, once opened.
    """

    def __init__(
        self,
        settings: StreamSettings,
        folder: Path,
        topics: Sequence[Topic],
        part: type[_Part],
        code: str,
        on_dead: OnDead | None = None,
        patience: float = 10.0,
    ) -> None:
        self.parts: dict[int, _Part] = {}
        self._settings, self._topics, self._kind, self._on_dead = settings, topics, part, on_dead
        self._patience = patience
        epochs = [topic_epoch(settings, topic, patience) for topic in topics]
        self._folder = folder / sha256("|".join([code, *epochs]).encode()).hexdigest()[:16]
        self._files: dict[int, sqlite3.Connection] = {}
        self._firsts: dict[Partition, int] = {}
        self._folder.mkdir(parents=True, exist_ok=True)
        for other in folder.iterdir():
            if other != self._folder:
                log.info("a saved state of other code or of another log is thrown away", folder=str(other))
                shutil.rmtree(other, ignore_errors=True)

    def open(self) -> None:
        """Open what is there and fits the log.

        Raises:
            KafkaAway, RegistryAway: a server does not answer.
        """
        marks = {topic.name: watermarks(self._settings, topic, self._patience) for topic in self._topics}
        self._firsts = {(topic, number): low for topic, of in marks.items() for number, (low, _) in of.items()}
        for number in sorted({number for _, number in self._firsts}):
            self._open(number)
        for topic in self._topics:
            for number in self._unfit(topic, marks[topic.name]):
                log.warning("a saved state does not fit the log: folded again", topic=topic.name, partition=number)
                self._files.pop(number).close()
                _remove(self._path(number))
                self._open(number)

    def positions(self) -> dict[Partition, int]:
        """Return the next offset to fold of each partition."""
        return {place: self._position(*place)[1] + 1 for place in self._firsts}

    def catch_up(self) -> tuple[int, dict[Partition, int]]:
        """Fold on up to the end of the log; return how many events came, and where each partition ended.

        Raises:
            KafkaAway, RegistryAway: a server does not answer.
        """
        starts, count, reached = self.positions(), 0, {}
        for topic in self._topics:
            ends = {number: high for number, (_, high) in watermarks(self._settings, topic, self._patience).items()}
            for chunk in self._chunks(topic, {number: starts[topic.name, number] for number in ends}, ends):
                self.fold(chunk)
                count += len(chunk)
            reached.update({(topic.name, number): end for number, end in ends.items()})
        return count, reached

    def fold(self, records: Sequence[Record]) -> None:
        """Fold events, in the order in which they were read, and commit."""
        for record in records:
            self.parts[record.partition].fold(record)
        newest = {(record.topic, record.partition): record for record in records}
        for place, record in newest.items():
            moved = (record.topic, self._firsts[place], record.offset, record.event_id)
            self._files[record.partition].execute(_MOVE, moved)
        for number in {number for _, number in newest}:
            self._files[number].commit()

    def verify(self) -> Iterator[Verified]:
        """Fold each part again, up to where it is now, beside it; tell whether both are the same."""
        with tempfile.TemporaryDirectory(prefix="foretick-verify-") as folder:
            for number, live in self._files.items():
                paths = (Path(folder) / f"{number}-{name}.sqlite" for name in ("live", "again"))
                with closing(_connected(next(paths), "")) as copy, closing(self._new(next(paths))) as again:
                    live.backup(copy)  # as of one moment, whoever goes on writing
                    events = self._fold_again(number, copy, self._kind(again))
                    yield Verified(number, events, _digest(copy) == _digest(again))

    def close(self) -> None:
        """Close all files; what was not committed is folded again."""
        for file in self._files.values():
            file.close()
        self.parts, self._files = {}, {}

    def _fold_again(self, number: int, live: sqlite3.Connection, part: _Part) -> int:
        events = 0
        for topic in self._topics:
            first, last, _ = _position(live, topic.name, self._firsts[topic.name, number])
            for chunk in self._chunks(topic, {number: first}, {number: last + 1}):
                for record in chunk:
                    part.fold(record)
                events += len(chunk)
        return events

    def _chunks(self, topic: Topic, start: Mapping[int, int], end: Mapping[int, int]) -> Iterator[list[Record]]:
        records = read_range(self._settings, topic, start, end, on_poison="skip", on_dead=self._on_dead)
        while chunk := list(islice(records, _CHUNK)):
            yield chunk

    def _unfit(self, topic: Topic, marks: Mapping[int, tuple[int, int]]) -> set[int]:
        """Return the partitions whose log does not hold what their state was folded of, from its beginning on."""
        told = {number: self._position(topic.name, number) for number in marks}
        unfit = {
            number
            for number, (low, high) in marks.items()
            if told[number][0] != low or not low - 1 <= told[number][1] < high
        }
        folded = {number: last for number, (_, last, name) in told.items() if name and number not in unfit}
        after = {number: last + 1 for number, last in folded.items()}
        names = {
            record.partition: record.event_id
            for record in read_range(self._settings, topic, folded, after, on_poison="skip")
        }
        return unfit | {number for number in folded if names.get(number) != told[number][2]}

    def _position(self, topic: str, number: int) -> tuple[int, int, str]:
        return _position(self._files[number], topic, self._firsts[topic, number])

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.sqlite"

    def _open(self, number: int) -> None:
        try:
            file = self._new(self._path(number))
        except sqlite3.OperationalError:  # a disk, not the file
            raise
        except sqlite3.DatabaseError as error:
            log.warning("a saved state cannot be read: folded again", file=str(self._path(number)), error=str(error))
            _remove(self._path(number))
            file = self._new(self._path(number))
        self._files[number], self.parts[number] = file, self._kind(file)

    def _new(self, path: Path) -> sqlite3.Connection:
        return _connected(path, _POSITIONS + self._kind.TABLES)


def _connected(path: Path, tables: str) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=_LOCKED_SECONDS)
    try:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")  # a power cut loses the newest commits, never the file
        file.executescript(tables)
    except BaseException:
        file.close()
        raise
    return file


def _position(file: sqlite3.Connection, topic: str, low: int) -> tuple[int, int, str]:
    """Return where the log began when it was folded, the last event's offset and its id; `low` before the first."""
    row = file.execute("SELECT first, last, last_id FROM positions WHERE topic = ?", (topic,)).fetchone()
    found: tuple[int, int, str] = row or (low, low - 1, "")
    return found


def _digest(file: sqlite3.Connection) -> str:
    """Return the SHA-256 of what all tables hold, without how far it reaches."""
    digest = sha256()
    tables = file.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'positions' ORDER BY name")
    for (table,) in tables.fetchall():
        columns = ", ".join(f'"{name}"' for _, name, *_ in file.execute(f"PRAGMA table_info({table})"))
        for row in file.execute(f"SELECT {columns} FROM {table} ORDER BY {columns}"):
            digest.update(repr((table, row)).encode())
    return digest.hexdigest()


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
