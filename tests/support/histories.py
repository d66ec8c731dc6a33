"""What clients did and saw, and what is wrong with it: a checker in the manner of Jepsen's Kafka workload.

Clients write down each operation: what they sent and what came back, what a socket told them, what a list answered.
Afterwards the whole history is held against the log.  Times are monotonic seconds of one machine; what an operation
says is fixed at some moment between its `began` and its `ended`.  A `place` is a topic and a partition.
"""

import gzip
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import accumulate, pairwise
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

import orjson

Place = tuple[str, int]
Positions = Mapping[Place, int]  # next offsets


@dataclass(frozen=True, slots=True)
class Entry:
    """An event: what it is about, which revision of it, and a digest of all it says."""

    key: str
    revision: int
    value: str


Log = Mapping[Place, Mapping[int, Entry]]  # by offset; unreadable messages are left out


@dataclass(frozen=True, slots=True)
class Sent:
    """A write. Without an offset nobody told what became of it: it may be in the log, once."""

    client: str
    began: float
    ended: float
    entry: Entry
    place: Place | None = None
    offset: int = -1


@dataclass(frozen=True, slots=True)
class Joined:
    """A socket's greeting. A client's first one says at which offsets it begins; `only` the key prefixes it wants."""

    client: str
    at: float
    positions: Positions
    only: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that a socket told."""

    client: str
    at: float
    place: Place
    offset: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Missed:
    """Offsets, both ends included, of which a socket told that it does not tell them."""

    client: str
    at: float
    place: Place
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Read:
    """A list of documents: the newest revision of each key from `first` on, by one key prefix.

    Args:
        asked: positions that the list had to include (`min_position`).
        position: positions that the answer says it includes.
    """

    client: str
    began: float
    ended: float
    prefix: str
    first: str
    asked: Positions
    position: Positions
    found: Mapping[str, Entry]


Operation = Sent | Joined | Heard | Missed | Read
Kind = TypeVar("Kind", bound=Operation)


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something that must never be seen: lost, duplicate, reordered, phantom or stale."""

    kind: str
    text: str


@dataclass(slots=True)
class History:
    """Operations of all clients, each client's in its own order."""

    operations: list[Operation] = field(default_factory=list)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [each for each in self.operations if isinstance(each, kind)]

    def write(self, file: Path) -> None:
        """Write the history as packed JSON lines, to be looked at."""
        with gzip.open(file, "wb", compresslevel=1) as lines:
            for each in self.operations:
                row = {one.name: _plain(getattr(each, one.name)) for one in fields(each)}
                lines.write(orjson.dumps({"operation": type(each).__name__} | row) + b"\n")


def _plain(value: object) -> object:
    match value:
        case Entry():
            return [value.key, value.revision, value.value]
        case (str(topic), int(partition)):
            return f"{topic}[{partition}]"
        case Mapping():
            return {str(_plain(key)): _plain(each) for key, each in value.items()}
        case _:
            return value


def anomalies(history: History, log: Log, *, senders: str | None = None, complete: bool = False) -> list[Anomaly]:
    """Return what is wrong.

    Args:
        log: as it is at the end.
        senders: what begins with this key prefix comes from the history's own senders; None: only others wrote.
        complete: every socket was given the time to hear all.
    """
    return [
        *_twice(log),
        *_sent(history.of(Sent), log, senders),
        *_heard(history, log, complete=complete),
        *of_reads(history.of(Read), log),
    ]


def _twice(log: Log) -> Iterator[Anomaly]:
    places: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for place, entries in log.items():
        for offset, entry in entries.items():
            places[place[0], entry.key, entry.revision].append(_at(place, offset))
    for (_, key, revision), found in places.items():
        if len(found) > 1:
            yield Anomaly("duplicate", f"{key}, revision {revision}, is in the log at {', '.join(found)}")


def _sent(sent: Sequence[Sent], log: Log, senders: str | None) -> Iterator[Anomaly]:
    acknowledged = [each for each in sent if each.place]
    for each in acknowledged:
        assert each.place
        if (held := log.get(each.place, {}).get(each.offset)) != each.entry:
            where = _at(each.place, each.offset)
            yield Anomaly("lost", f"{each.entry} was acknowledged at {where}, where the log has {held}")
    lines: dict[tuple[str, Place | None], list[Sent]] = defaultdict(list)
    for each in sorted(acknowledged, key=attrgetter("began")):
        lines[each.client, each.place].append(each)
    for line in lines.values():
        for one, other in pairwise(line):
            if one.ended <= other.began and one.offset >= other.offset:
                yield Anomaly("reordered", f"{one.client} sent {one} and then {other}")
    if senders is not None:
        known = {each.entry for each in sent}
        for place, entries in log.items():
            for offset, entry in entries.items():
                if entry.key.startswith(senders) and entry not in known:
                    yield Anomaly("phantom", f"{_at(place, offset)} has {entry}, which nobody sent")


def _heard(history: History, log: Log, *, complete: bool) -> Iterator[Anomaly]:
    clients: dict[str, list[Joined | Heard | Missed]] = defaultdict(list)
    for each in history.operations:
        if isinstance(each, Joined | Heard | Missed):
            clients[each.client].append(each)
    offsets = {place: sorted(entries) for place, entries in log.items()}
    for client, told in clients.items():
        yield from _told(client, told, log, offsets, complete=complete)


def _told(
    client: str,
    told: Iterable[Joined | Heard | Missed],
    log: Log,
    offsets: Mapping[Place, Sequence[int]],
    *,
    complete: bool,
) -> Iterator[Anomaly]:
    """Follow one client through all its sockets: each offset from its first on is heard once, in order, or missed."""
    begun: dict[Place, int] = {}
    only: tuple[str, ...] = ()
    heard: dict[Place, list[int]] = defaultdict(list)
    missed: dict[Place, list[tuple[int, int]]] = defaultdict(list)
    for each in told:
        match each:
            case Joined():
                only = each.only
                for place, offset in each.positions.items():
                    begun.setdefault(place, offset)
            case Missed():
                missed[each.place].append((each.first, each.last))
            case Heard():
                where = _at(each.place, each.offset)
                before = heard[each.place]
                if (held := log.get(each.place, {}).get(each.offset)) != each.entry:
                    yield Anomaly("phantom", f"{client} heard {each.entry} at {where}, where the log has {held}")
                if before and each.offset <= before[-1]:
                    again = before[max(0, bisect_left(before, each.offset))] == each.offset
                    kind = "duplicate" if again else "reordered"
                    yield Anomaly(kind, f"{client} heard {where} after {before[-1]}")
                    if again:
                        continue
                insort(before, each.offset)
    for place, first in begun.items():
        known = set(heard[place])
        last = None if complete else max(known, default=first - 1)
        wanted = offsets.get(place, ())
        for offset in wanted[bisect_left(wanted, first) : None if last is None else bisect_right(wanted, last)]:
            told_missing = any(low <= offset <= high for low, high in missed[place])
            if offset not in known and not told_missing and log[place][offset].key.startswith(only):
                yield Anomaly("lost", f"{client} never heard {_at(place, offset)}, nor that it is missing")


def of_reads(reads: Sequence[Read], log: Log) -> Iterator[Anomaly]:
    """Yield what is wrong with the lists alone. Of events that say the same of a key, the first one counts."""
    keys: dict[str, list[tuple[Place, int, Entry]]] = defaultdict(list)
    first: dict[tuple[str, int], Entry] = {}
    for place, entries in log.items():
        for offset, entry in entries.items():
            first.setdefault((entry.key, entry.revision), entry)
            keys[entry.key].append((place, offset, entry))
    ordered = sorted(keys)
    ends = {place: max(entries, default=-1) + 1 for place, entries in log.items()}
    for read in reads:
        for place, offset in read.asked.items():
            if read.position.get(place, 0) < offset:
                yield Anomaly("stale", f"{read.client} asked for {_at(place, offset)}, and got {read.position}")
        for place, offset in read.position.items():
            if offset > ends.get(place, 0):
                yield Anomaly("phantom", f"{read.client} was told of {_at(place, offset)}; the log ends before")
        for entry in read.found.values():
            if (held := first.get((entry.key, entry.revision))) != entry:
                yield Anomaly("phantom", f"{read.client} read {entry}, where the log has {held}")
        for number in range(bisect_left(ordered, max(read.prefix, read.first)), len(ordered)):
            if not (key := ordered[number]).startswith(read.prefix):
                break
            due = [entry.revision for place, offset, entry in keys[key] if offset < read.position.get(place, 0)]
            if due and (key not in read.found or read.found[key].revision < max(due)):
                shown = read.found.get(key)
                kind = "stale" if shown else "lost"
                yield Anomaly(kind, f"{read.client} read {shown} at {read.position}: {key}, revision {max(due)} is due")
    yield from _backwards(reads)


def _backwards(reads: Sequence[Read]) -> Iterator[Anomaly]:
    """Find reads that know less than one that had ended when they began."""
    ended = sorted(reads, key=attrgetter("ended"))
    reached = list(accumulate((dict(each.position) for each in ended), _furthest))
    ends = [each.ended for each in ended]
    shown: dict[str, list[Read]] = defaultdict(list)
    for read in ended:
        shown[read.prefix].append(read)
    for read in reads:
        if number := bisect_left(ends, read.began):
            for place, offset in reached[number - 1].items():
                if read.position.get(place, offset) < offset:
                    yield Anomaly("stale", f"{read.client} read {read.position} after {_at(place, offset)} was shown")
        own = shown[read.prefix]
        number = bisect_left(own, read.began, key=attrgetter("ended"))
        if number:
            for key, entry in own[number - 1].found.items():
                now = read.found.get(key)
                if key >= read.first and (now is None or now.revision < entry.revision):
                    yield Anomaly("stale", f"{read.client} read {now} of {key} after {entry} was shown")


def _furthest(one: dict[Place, int], other: Positions) -> dict[Place, int]:
    return {place: max(one.get(place, 0), other.get(place, 0)) for place in {*one, *other}}


def summary(found: Iterable[Anomaly]) -> str:
    """Return how many anomalies there are of each kind."""
    counts = Counter(each.kind for each in found)
    return ", ".join(f"{counts[kind]} {kind}" for kind in ("lost", "duplicate", "reordered", "phantom", "stale"))


def _at(place: Place, offset: int) -> str:
    return f"{place[0]}[{place[1]}]@{offset}"
