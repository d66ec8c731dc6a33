"""Fold the log into a collection of its own, from offset 0: what a rebuild and a look at the past begin with."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from operator import attrgetter

import structlog

from contracts.topics import topic_named
from projections import hashes
from projections.folds import ReadModel, by_document
from projections.lease import Lease
from projections.mongo import Store
from projections.writer import Writer, Written
from streaming.dead_letters import DeadLetters
from streaming.decoding import Settled
from streaming.reader import read_range
from streaming.records import DeadRecord, Partition, Record
from streaming.settings import StreamSettings

log = structlog.get_logger()

RefillProgress = Callable[[int, int], None]  # events done, events in all
Vector = Mapping[str, Mapping[int, int]]  # {topic: {partition: next offset}}

_CHUNK = 2000
_LANES = 2  # while the server writes what one thread has sent, the other folds and encodes


class Refill:
    """One collection that is being filled, by whoever holds the lease.

    Args:
        skip_dead: pass over messages that cannot be read; settled dead letters are passed over anyway.

    Attributes:
        before: of the documents that were filled since `note_changes`, the digest that each had then; None: it was not.
    """

    def __init__(
        self,
        settings: StreamSettings,
        store: Store,
        model: ReadModel,
        lease: Lease,
        skip_dead: bool,
        progress: RefillProgress,
    ) -> None:
        self.position: dict[str, dict[int, int]] = {topic: {} for topic in model.folds}
        self.last: dict[Partition, Record] = {}  # the last event taken in
        self.counts: dict[str, Counter[Partition]] = {kind: Counter() for kind in ("read", "applied", "fenced", "dead")}
        self.before: dict[str, int | None] = {}
        self._changed: set[str] | None = None
        self._settings = settings
        self._store = store
        self._model = model
        self._lease = lease
        self._skip_dead = skip_dead
        self._progress = progress
        # A document is always written by the same one: so its events come in their order.
        self._writers = [Writer(store, model, lease.collection) for _ in range(_LANES)]
        self._letters = DeadLetters(settings)
        self._settled: Settled = {}

    @property
    def totals(self) -> dict[str, int]:
        """Return how many messages were read, applied, fenced and dead."""
        return {kind: counter.total() for kind, counter in self.counts.items()}

    def missing(self, target: Vector) -> int:
        """Return how many messages there are up to `target`."""
        return sum(
            max(0, end - self.position[topic].get(partition, 0))
            for topic, ends in target.items()
            for partition, end in ends.items()
        )

    def note_changes(self) -> None:
        """From now on keep in mind which documents are filled, and what they were."""
        self._changed = set()

    def changed(self) -> set[str]:
        """Return the documents that were filled since the last call, or since `note_changes`."""
        found, self._changed = self._changed or set(), set()
        return found

    def fill(self, target: Vector) -> None:
        """Fold the log in, from where this stands up to `target`.

        Raises:
            HistoryGone: the log does not hold all of it.
            Poison: a message cannot be read.
            ServerAway: one does not answer.
            Superseded: the lease was lost.
        """
        total = self.counts["read"].total() + self.missing(target)
        self._settled = {place: mark for topic in target for place, mark in self._letters.of(topic).settled.items()}
        with ThreadPoolExecutor(_LANES, "writing") as pool:  # ends when all is written, whatever happens here
            writing: dict[int, Future[Written]] = {}
            for chunk in self._chunks(target):
                self._progress(self.counts["read"].total(), total)
                for lane, documents in _lanes(by_document(self._model, chunk)).items():
                    if lane in writing:
                        self._count(writing[lane].result())
                    writing[lane] = pool.submit(self._write, lane, documents)  # meanwhile the next chunk is decoded
            for last in writing.values():
                self._count(last.result())
        for topic, ends in target.items():
            start = self.position[topic]
            start.update({place: max(end, start.get(place, 0)) for place, end in ends.items()})

    def _chunks(self, target: Vector) -> Iterator[list[Record]]:
        """Read the log from where this stands up to `target`.

        What does not fit into one chunk is read with its partitions side by side, by the time of their messages: the
        events of a document come close together, in the same chunk most of the time, and are one write.
        """
        parts = list(target.items())
        if len(parts) > 1 and self.missing(target) > _CHUNK:
            parts = [(topic, {place: end}) for topic, ends in parts for place, end in ends.items()]
        ranges = [self._range(topic, ends) for topic, ends in parts]
        records = heapq.merge(*ranges, key=attrgetter("timestamp"))
        while chunk := list(islice(records, _CHUNK)):
            self.counts["read"].update((record.topic, record.partition) for record in chunk)
            self.last.update(((record.topic, record.partition), record) for record in chunk)
            yield chunk

    def _range(self, topic: str, ends: Mapping[int, int]) -> Iterator[Record]:
        return read_range(
            self._settings,
            topic_named(topic),
            dict(self.position[topic]),
            ends,
            on_poison="skip" if self._skip_dead else "raise",
            on_dead=self._note_dead,
            settled=self._settled,
        )

    def _write(self, lane: int, documents: dict[str, list[Record]]) -> Written:
        self._lease.check()
        if self._changed is not None:
            unseen = [key for key in documents if key not in self.before]
            found = self._store.read(self._lease.collection, unseen)
            self.before.update({key: hashes.document_digest(found[key]) if key in found else None for key in unseen})
            self._changed.update(documents)
        return self._writers[lane].write_grouped(documents)

    def _count(self, written: Written) -> None:
        self.counts["applied"].update(written.applied)
        self.counts["fenced"].update(written.fenced)

    def _note_dead(self, dead: DeadRecord) -> None:
        for kind in ("read", "dead"):
            self.counts[kind][dead.topic, dead.partition] += 1
        if (dead.topic, dead.partition, dead.offset) in self._settled:
            return  # somebody has decided so
        log.warning("passed over", topic=dead.topic, partition=dead.partition, offset=dead.offset, error=dead.error)


def _lanes(documents: dict[str, list[Record]]) -> dict[int, dict[str, list[Record]]]:
    """Share documents out, each always to the same lane."""
    lanes: dict[int, dict[str, list[Record]]] = {}
    for key, records in documents.items():
        lanes.setdefault(hash(key) % _LANES, {})[key] = records
    return lanes
