"""The live writer of one read model: what the consumer loop hands its batches to."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from contracts.documents import CHECKPOINTS_COLLECTION
from contracts.topics import topic_named
from projections import takeover
from projections.answers import Superseded
from projections.checkpoints import by_partition, foreign_epochs, fresh, moved_checkpoint
from projections.folds import Document, ReadModel
from projections.mongo import Store, now
from projections.restored import restored
from projections.writer import Writer
from streaming.errors import KafkaAway, RegistryAway, StoreAway
from streaming.reader import topic_epoch
from streaming.records import Batch, Partition
from streaming.settings import StreamSettings

log = structlog.get_logger()

_GRACE_SECONDS = 20.0  # longer than a consumer group takes to find a member gone
_FORGOTTEN = timedelta(days=1)  # a writer that ended without a word leaves the row after this time


class TopicMadeAnew(Exception):
    """A topic is not the one that a read model was made from: its offsets mean something else.

    It was deleted and made again, or restored to an earlier state.
    """


class ReadModelSink:
    """Keeps one read model's documents and checkpoints; the offsets it starts from are its own.

    Args:
        instance: name of this writer, unlike any other's.
    """

    def __init__(self, settings: StreamSettings, store: Store, model: ReadModel, instance: str) -> None:
        self.model = model
        self.held: dict[Partition, Document] = {}  # checkpoints of the partitions assigned, as last written
        self.paused_for = ""  # token of the rebuild that this writer has stopped for
        self.being_rebuilt = False
        self._settings = settings
        self._store = store
        self._instance = instance
        self._writer = Writer(store, model, model.name)
        self._generation = 0
        self._asked = ""
        self._between = threading.Lock()  # held during a batch
        self._indexed = False
        self._superseded_at: float | None = None

    def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return where this read model stands in the partitions; 0 where it has read nothing.

        Raises:
            StoreAway: a server is away, or a rebuild is taking over.
            TopicMadeAnew: the checkpoints speak of another topic of the same name.
        """
        with self._between:
            generation = self._join()
            epochs = self._epochs({topic for topic, _ in partitions})
            name = self.model.name
            known = by_partition(self._store.checkpoints(name))
            rows = [known[place] for place in partitions if place in known]
            self._refuse_foreign(rows, epochs)
            self._refuse_restored(rows)
            missing = [
                fresh(name, place, generation, epochs[place[0]], now()) for place in partitions if place not in known
            ]
            self._store.insert(CHECKPOINTS_COLLECTION, missing)
            # Checkpoints made while a rebuild was fencing writers would carry the old generation: look again.
            row = self._store.generation(name)
            if row["generation"] != generation or takeover.pausing_token(row):
                raise StoreAway(f"{name}: a rebuild is taking over")
            known = by_partition(self._store.checkpoints(name))
            self.held = {place: known[place] for place in partitions}
            self._generation = generation
            self._superseded_at = None
            return {place: int(row["next_offset"]) for place, row in self.held.items()}

    def apply(self, batch: Batch) -> None:
        """Write a batch's documents and then its checkpoints.

        Raises:
            StoreAway: MongoDB is away, or a rebuild is taking over: the same batch may be applied again.
            Superseded: another writer or a rebuild has moved these checkpoints, and this writer still has them.
        """
        with self._between:
            if self._asked:
                raise StoreAway(f"{self.model.name}: paused while a rebuild takes over")
            try:
                self._apply(batch)
                self._superseded_at = None
            except StoreAway:
                raise
            except Superseded as error:
                # Most likely this writer slept, and its partitions are another's: the loop will hear of it.
                self._superseded_at = self._superseded_at or time.monotonic()
                if time.monotonic() - self._superseded_at > _GRACE_SECONDS:
                    raise
                raise StoreAway(str(error)) from error
            except Exception as error:
                error.add_note(f"while {self.model.name} took in a batch that ends before {batch.next_offsets}")
                raise

    def _apply(self, batch: Batch) -> None:
        written = self._writer.write(batch.records)
        dead = Counter((record.topic, record.partition) for record in batch.dead)
        good = Counter((record.topic, record.partition) for record in batch.records)
        last = {(record.topic, record.partition): record for record in batch.records}
        moves = []
        for place, next_offset in batch.next_offsets.items():
            old = self.held[place]
            new = moved_checkpoint(
                old,
                next_offset,
                applied=written.applied[place],
                fenced=written.fenced[place],
                dead=dead[place],
                read=good[place] + dead[place],
                now=now(),
                last=last.get(place),
            )
            moves.append((old["next_offset"], {**new, "generation": self._generation}))
        self._store.advance(moves)
        for _, new in moves:
            self.held[new["topic"], new["partition"]] = new

    def attend(self) -> None:
        """Say that this writer lives, and stop or go on as rebuilds ask; called often while one is under way.

        Raises:
            StoreAway: MongoDB is away.
            Superseded: the checkpoints were moved during the pause.
        """
        row = takeover.beat(self._store, self.model.name, self._instance, self.paused_for)
        takeover.clear_abandoned(self._store, row)
        self.being_rebuilt = bool(row.get("rebuild"))
        self._asked = takeover.pausing_token(row)
        if self._asked == self.paused_for:
            return
        if not self._between.acquire(timeout=1.0):  # a batch is under way; the next one will not begin
            return
        try:
            self.paused_for = self._asked
            if not self._asked:
                self._refuse_rewound()
                self._generation = row["generation"]
            log.info("paused for a rebuild" if self._asked else "resumed after a rebuild", read_model=self.model.name)
        finally:
            self._between.release()
        takeover.beat(self._store, self.model.name, self._instance, self.paused_for)

    def check_epochs(self) -> None:
        """Look whether the topics are still those that the read model was made from.

        Raises:
            StoreAway: Kafka is away.
            TopicMadeAnew: they are not.
        """
        held = list(self.held.values())
        self._refuse_foreign(held, self._epochs({row["topic"] for row in held}))

    def close(self) -> None:
        """Say that this writer has ended."""
        takeover.leave(self._store, self.model.name, self._instance)

    def _join(self) -> int:
        """Register as a writer; return the generation to write."""
        name = self.model.name
        row = takeover.beat(self._store, name, self._instance, self.paused_for)
        takeover.clear_abandoned(self._store, row)
        for instance, writer in row["writers"].items():
            if abs(self._store.now() - writer["seen_at"]) > _FORGOTTEN:
                takeover.leave(self._store, name, instance)
        row = self._store.generation(name)
        if takeover.pausing_token(row):
            raise StoreAway(f"{name}: a rebuild is taking over")
        if not self._indexed:
            self._store.index(name, self.model.indexes)
            self._indexed = True
        return int(row["generation"])

    def _refuse_rewound(self) -> None:
        known = by_partition(self._store.checkpoints(self.model.name))
        if any(known[place]["next_offset"] != row["next_offset"] for place, row in self.held.items()):
            raise Superseded(f"{self.model.name} must be read again from where its checkpoints stand: start again")

    def _epochs(self, topics: set[str]) -> dict[str, str]:
        try:
            return {topic: topic_epoch(self._settings, topic_named(topic)) for topic in sorted(topics)}
        except (KafkaAway, TimeoutError) as error:
            raise StoreAway(f"Kafka does not say what the topics are: {error}") from error

    def _refuse_foreign(self, rows: Sequence[Document], epochs: Mapping[str, str]) -> None:
        if foreign := foreign_epochs(rows, epochs):
            raise TopicMadeAnew(
                f"{self.model.name}: {'; '.join(foreign)}. The topic was deleted and made again. To make the read "
                f"model from what it holds now: foretick rebuild {self.model.name} --accept-difference"
            )

    def _refuse_restored(self, rows: Sequence[Document]) -> None:
        try:
            faults = restored(self._settings, rows)
        except (KafkaAway, RegistryAway) as error:
            raise StoreAway(f"Kafka does not say what it holds: {error}") from error
        if faults:
            raise TopicMadeAnew(
                f"{self.model.name}: {'; '.join(faults)}: the log was restored to an earlier state. To make the read "
                f"model from what it holds now: foretick rebuild {self.model.name} --accept-difference"
            )
