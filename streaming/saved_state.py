"""State that was folded of the log, kept on disk with its position: one SQLite file for each partition number.

What was folded and how far it reaches are committed together, so a process that was killed goes on where it was.  A
state is only a shortcut: one that was made by other code, or of another log, is thrown away and folded again.
"""

import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import structlog

from contracts.sources import sources_sha256
from contracts.topics import Topic
from streaming.catching_up import ReadableLog
from streaming.errors import StoreAway
from streaming.records import Partition, Record
from streaming.state_files import (
    ACT,
    MOVE,
    REACHED,
    connected,
    content_sha256,
    position_of,
    remove,
    sequence_after,
    sequence_in,
)

log = structlog.get_logger()

_CHUNK = 5000  # events that are committed together
_FOLDING = {
    "contracts": ("events", "parts.py", "upcasters.py"),
    "streaming": ("codec.py", "decoding.py", "saved_state.py", "series_ids.py", "state_files.py"),
}


def folding_code(**deciding: Collection[str]) -> str:
    """Return the hash of the code by which a saved state is what it is.

    Args:
        deciding: files and folders of a package that decide it, beside those by which any is.
    """
    names = _FOLDING | deciding
    return sources_sha256({name: files(name) for name in names}, names)


class SavedPart(Protocol):
    """What a service has folded of one partition number, in tables of an SQLite file; each has a primary key."""

    def fold(self, record: Record) -> None:
        """Take note of an event; the caller commits."""
        ...

    def trim(self, *, wholly: bool) -> None:
        """Remove what is older than anything that is asked for; wholly, or where that is worth the while."""
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

    Several processes may fold the same log into the same files.  One thread at a time.

    Args:
        folder: of this service alone.
        part: makes a part, and its tables where they are missing.
        code: hash of the code of that.

    Attributes:
        parts: by partition number, once taken; always the same dictionary.
    """

    def __init__(
        self,
        readable: ReadableLog,
        folder: Path,
        topics: Sequence[Topic],
        part: Callable[[sqlite3.Connection], _Part],
        code: str,
    ) -> None:
        self.parts: dict[int, _Part] = {}
        self._log, self._home, self._topics, self._kind, self._code = readable, folder, topics, part, code
        self._folder = folder
        self._files: dict[int, sqlite3.Connection] = {}
        self._firsts: dict[Partition, int] = {}
        self._acted: dict[Partition, int] = {}  # as noted here since

    def take(self, numbers: Collection[int] | None = None) -> None:
        """Open what is there of these partition numbers, all by default, and fits the log; let go of others.

        Raises:
            KafkaAway, RegistryAway: a server does not answer.
            StoreAway: the disk cannot be written.
        """
        self.close()
        epochs = [self._log.epoch(topic) for topic in self._topics]
        self._folder = self._home / sha256("|".join([self._code, *epochs]).encode()).hexdigest()[:16]
        self._folder.mkdir(parents=True, exist_ok=True)
        for other in self._home.iterdir():
            if other != self._folder:
                log.info("a saved state of other code or of another log is thrown away", folder=str(other))
                shutil.rmtree(other, ignore_errors=True)
        for topic in self._topics:
            for number, (low, _) in self._log.marks(topic).items():
                if numbers is None or number in numbers:
                    self._firsts[topic.name, number] = low
        for number in sorted({number for _, number in self._firsts}):
            self._open(number)
        for topic in self._topics:
            for number in self._unfit(topic):
                log.warning("a saved state does not fit the log: folded again", topic=topic.name, partition=number)
                self._files.pop(number).close()
                remove(self._path(number))
                self._open(number)

    def positions(self) -> dict[Partition, int]:
        """Return the next offset to fold of each partition."""
        return {place: self._position(*place)[1] + 1 for place in self._firsts}

    def sequences(self, number: int) -> dict[str, int]:
        """Return the sequence number of the next event to append to a partition number, by topic."""
        return {topic: sequence_in(self._files[number], topic) for topic, at in self._firsts if at == number}

    def acted(self, topic: Topic) -> dict[Partition, int]:
        """Return up to where all that follows from a topic's events was done: the next offset."""
        found = {}
        for place, first in self._firsts.items():
            if place[0] == topic.name:
                row = self._files[place[1]].execute("SELECT acted FROM positions WHERE topic = ?", (topic.name,))
                found[place] = first if (told := row.fetchone()) is None or told[0] is None else told[0]
        return found

    def act(self, reached: Mapping[Partition, int]) -> None:
        """Note that all that follows from the events before these offsets was done.

        A part is trimmed where that is all it has folded: of what is still to be done, older rows may be asked for.
        """
        news = {place: offset for place, offset in reached.items() if self._acted.get(place, -1) < offset}
        for number in {number for _, number in news} & self._files.keys():
            file = self._files[number]
            with self.writing(number) as part:
                file.executemany(ACT, [(offset, topic) for (topic, at), offset in news.items() if at == number])
                if all(reached.get((topic, number), last + 1) > last for topic, last in file.execute(REACHED)):
                    part.trim(wholly=False)
        self._acted |= news

    def catch_up(self, topics: Sequence[Topic] | None = None) -> tuple[int, dict[Partition, int]]:
        """Fold on up to the end of the log; return how many events came, and where each partition ended.

        Args:
            topics: which of them; all by default.

        Raises:
            KafkaAway, RegistryAway: a server does not answer.
        """
        starts, count, reached = self.positions(), 0, {}
        for topic in topics or self._topics:
            marks = self._log.marks(topic)
            ends = {number: high for number, (_, high) in marks.items() if (topic.name, number) in starts}
            for chunk in self._chunks(topic, {number: starts[topic.name, number] for number in ends}, ends):
                self.fold(chunk)
                count += len(chunk)
            reached.update({(topic.name, number): end for number, end in ends.items()})
        return count, reached

    def fold(self, records: Sequence[Record]) -> None:
        """Fold events, in the order in which they were read, and commit; those folded before are passed over."""
        by_number: defaultdict[int, list[Record]] = defaultdict(list)
        for record in records:
            by_number[record.partition].append(record)
        for number, found in by_number.items():
            with self.writing(number) as part:
                file, newest = self._files[number], {}
                reached: dict[str, int] = dict(file.execute(REACHED))
                for record in found:
                    if record.offset > reached.get(record.topic, -1):
                        part.fold(record)
                        newest[record.topic] = record
                for topic, record in newest.items():
                    first, after = self._firsts[topic, number], sequence_after(topic, found)
                    file.execute(MOVE, (topic, first, record.offset, record.event_id, after))

    @contextmanager
    def writing(self, number: int) -> Iterator[_Part]:
        """Change a part: all that is done within, or nothing.

        Raises:
            StoreAway: another process holds the file, or the disk cannot be written.
        """
        file = self._files[number]
        try:
            file.execute("BEGIN IMMEDIATE")
            try:
                yield self.parts[number]
                file.execute("COMMIT")
            except BaseException:
                if file.in_transaction:
                    file.execute("ROLLBACK")
                self.parts[number] = self._kind(file)  # what it holds in memory tells of what was taken back
                raise
        except sqlite3.OperationalError as error:
            raise StoreAway(f"{self._path(number)} cannot be written: {error}") from error

    def verify(self) -> Iterator[Verified]:
        """Fold the whole log again, and what a copy of each part lacks; tell whether both are the same.

        A part may hold what its service has published and not read from the log yet: what it lacks is folded first.
        """
        with tempfile.TemporaryDirectory(prefix="foretick-verify-") as folder:
            for number, live in self._files.items():
                paths = (Path(folder) / f"{number}-{name}.sqlite" for name in ("live", "again"))
                with closing(connected(next(paths))) as copy, closing(connected(next(paths))) as again:
                    live.backup(copy)  # as of one moment, whoever goes on writing
                    told, anew = self._kind(copy), self._kind(again)
                    events = self._fold_rest(number, copy, told, anew)
                    for part in (told, anew):
                        part.trim(wholly=True)
                    yield Verified(number, events, content_sha256(copy) == content_sha256(again))

    def close(self) -> None:
        """Close all files; what was not committed is folded again."""
        for file in self._files.values():
            file.close()
        for held in (self.parts, self._files, self._firsts, self._acted):
            held.clear()

    def _fold_rest(self, number: int, copy: sqlite3.Connection, told: _Part, anew: _Part) -> int:
        """Fold the log into `anew`, and what comes after its position into `told`; return how many events there are."""
        events = 0
        for topic in self._topics:
            if (topic.name, number) not in self._firsts:
                continue
            first, last, _ = position_of(copy, topic.name, self._firsts[topic.name, number])
            _, end = self._log.marks(topic)[number]
            for record in self._log.read(topic, {number: first}, {number: end}):
                anew.fold(record)
                if record.offset > last:
                    told.fold(record)
                events += 1
        return events

    def _chunks(self, topic: Topic, start: Mapping[int, int], end: Mapping[int, int]) -> Iterator[list[Record]]:
        records = self._log.read(topic, start, end)
        while chunk := list(islice(records, _CHUNK)):
            yield chunk

    def _unfit(self, topic: Topic) -> set[int]:
        """Return the partitions whose log does not hold what their state was folded of, from its beginning on."""
        told = {number: self._position(topic.name, number) for name, number in self._firsts if name == topic.name}
        marks = self._log.marks(topic)  # asked only now: whoever else has the file may go on with it
        unfit = {
            number for number, (first, last, _) in told.items() if first != marks[number][0] or last >= marks[number][1]
        }
        folded = {number: last for number, (_, last, name) in told.items() if name and number not in unfit}
        after = {number: last + 1 for number, last in folded.items()}
        names = {record.partition: record.event_id for record in self._log.read(topic, folded, after)}
        return unfit | {number for number in folded if names.get(number) != told[number][2]}

    def _position(self, topic: str, number: int) -> tuple[int, int, str]:
        return position_of(self._files[number], topic, self._firsts[topic, number])

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.sqlite"

    def _open(self, number: int) -> None:
        path = self._path(number)
        try:
            self._files[number] = connected(path)
            self.parts[number] = self._kind(self._files[number])
        except sqlite3.OperationalError as error:  # a disk, not the file
            raise StoreAway(f"{path} cannot be opened: {error}") from error
        except sqlite3.DatabaseError as error:
            log.warning("a saved state cannot be read: folded again", file=str(path), error=str(error))
            remove(path)
            self._files[number] = connected(path)
            self.parts[number] = self._kind(self._files[number])
