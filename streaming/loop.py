"""The consumer loop: batches in order, decoded outside the consumer, positions held by whoever keeps the state.

Four kinds of failure get an answer each.  A server that is away (broker, registry, the sink's store): pause, back off,
go on from the same place.  Data that nobody can read: to the dead-letter topic, and on.  A log that is not what was
written, or gone: raise, with the coordinates and the way out.  Anything else is a bug: raise, and the process ends.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as Place

from contracts.topics import Topic
from streaming.damage import Damaged, LossWatch, refuse_unreadable
from streaming.dead_lettering import DeadLettering
from streaming.errors import ServerAway, TooSlow
from streaming.inbox import BATCH_MESSAGES, Inbox, Pace
from streaming.lags import LoopState
from streaming.ranges import end_of, end_reached
from streaming.reader import HistoryGone
from streaming.records import Batch, Partition
from streaming.settings import StreamSettings
from streaming.sink import Sink
from streaming.stall import Stall

log = structlog.get_logger()

BACKOFF = (0.2, 5.0)  # seconds: first and longest wait while a server is away
ASK_SECONDS = 0.3  # for the end of a partition, while paused
# The budget of a batch when partitions go to another member: the group waits so long for it to be finished (while its
# servers answer) or dropped (while one is away).  After that the partitions go without it, and it is fenced.
REVOKE_SECONDS = 45.0


class Loop:
    """Reads topics in a consumer group and hands batches to a sink.

    Args:
        buries: topics whose unreadable messages this loop writes to the dead-letter topic, all by default; of all
            loops that read a topic, one should.  Others pass such messages over.
        group: consumer group (without prefix).  Offsets are committed to it for lag tools only:
            the sink's own positions decide where reading starts.
    """

    def __init__(
        self,
        settings: StreamSettings,
        group: str,
        topics: Sequence[Topic],
        sink: Sink,
        *,
        buries: Collection[Topic] | None = None,
    ) -> None:
        self.state = LoopState()
        self._settings = settings
        self._group = settings.topic_prefix + group
        self._logical: dict[str | None, str] = {settings.physical(topic.name): topic.name for topic in topics}
        self._sink = sink
        self._dead_lettering = DeadLettering(settings, topics if buries is None else buries)
        self._inbox, self._pace = Inbox(self._logical), Pace()
        self._watch, self._stall = LossWatch(settings, {}), Stall(settings)
        self._held_back: set[str] = set()
        self._assigned: list[Partition] = []
        self._placed = False
        self._assignments = 0  # rebalances: a batch of an earlier one is dropped, its partitions may be another's

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set.

        Raises:
            HistoryGone: the position asked for is no longer in the log.
            Damaged: what is there is not what was written.
            Exception: whatever the sink raises that is not StoreAway: a bug.
        """
        consumer = Consumer(
            self._settings.kafka_config(
                group_id=self._group,
                enable_auto_commit=False,
                enable_partition_eof=True,  # it may lie beyond the last message: where transactions ended
                auto_offset_reset="error",  # a lost position is a decision for a person
                fetch_queue_backoff_ms=5,
                fetch_wait_max_ms=50,
                queued_max_messages_kbytes=8192,  # what is read ahead is dropped where its topic is held back
                session_timeout_ms=10_000,
                max_poll_interval_ms=int(REVOKE_SECONDS * 1000),
            )
        )
        try:
            consumer.subscribe(
                [self._settings.physical(topic) for topic in self._logical.values()],
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_revoke,
            )
            while not stop.is_set():
                messages = self._next(consumer)
                if not messages:
                    self._stall.look(consumer, self._awaited())
                if not self._placed:
                    self._persist(consumer, stop, lambda: self._place(consumer))
                else:
                    self._inbox.add(self._good(messages))
                    if len(self._inbox):
                        self._handle(consumer, stop, self._inbox.take(self._pace.size))
                self._note_ends(consumer)
                self._hold_back(consumer)
            self.state.leaving = True
        except Damaged:
            end_of(consumer)
            raise
        except BaseException:
            consumer.close()
            raise
        consumer.close()  # waits for the broker's answer, however long that takes

    def _next(self, consumer: Consumer) -> list[Message]:
        """Return the messages at hand, waiting only for the first: a full batch is never waited for."""
        first = consumer.poll(0.0 if len(self._inbox) else 0.2)
        if first is None:
            return []
        return [first, *consumer.consume(BATCH_MESSAGES - 1, 0)] if self._inbox.has_room else [first]

    def _on_assign(self, consumer: Consumer, places: list[Place]) -> None:
        self._assigned = [(self._settings.logical(place.topic), place.partition) for place in places]
        self._assignments += 1
        self._inbox.place({})
        self._placed = not places
        # Nothing is fetched until the sink has said where it stands.  Assigning a first offset, pausing, and assigning
        # the right one a moment later leaves librdkafka now and then with a partition that it never fetches again.
        consumer.assign([])
        log.info("assigned", group=self._group, partitions=len(places))

    def _on_revoke(self, consumer: Consumer, places: list[Place]) -> None:
        self._assigned = []
        self._assignments += 1
        self._inbox.place({})
        self._placed = True
        self.state.place({})
        log.info("revoked", group=self._group, partitions=len(places))

    def _place(self, consumer: Consumer) -> None:
        """Start each partition where the sink's state ends."""
        self._dead_lettering.learn({topic for topic, _ in self._assigned})
        known = self._sink.positions(self._assigned)
        places = [
            Place(self._settings.physical(topic), partition, known.get((topic, partition), OFFSET_BEGINNING))
            for topic, partition in self._assigned
        ]
        starts = {(self._settings.physical(topic), at): offset for (topic, at), offset in known.items()}
        self._watch = LossWatch(self._settings, starts)
        consumer.assign(places)
        consumer.resume(places)  # they may have been paused while a server was away
        self.state.place({place: known.get(place, 0) for place in self._assigned})
        self._inbox.place(self.state.positions)
        self._held_back = set()
        self._placed = True

    def _good(self, messages: Sequence[Message]) -> Iterator[Message]:
        """Yield messages and ends; report errors that the broker mends; stop where history is gone or damaged."""
        for message in messages:
            error = message.error()
            if error is None:
                if self._watch.take(message):
                    yield message
                continue
            if end := end_reached(message):
                self._watch.reach(*end)
                yield message
                continue
            refuse_unreadable(message)
            if error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise HistoryGone(
                    f"{message.topic()}[{message.partition()}]: the stored position is not in the log any more "
                    f"({error.str()}). The topic was truncated or made again: `foretick rebuild` builds what it holds."
                )
            else:
                log.warning("cannot read the log now", group=self._group, error=error.str())

    def _awaited(self) -> dict[tuple[str, int], int]:
        """Return the next offset of each partition of which something may come now."""
        places = [place for place in self._assigned if self._placed and place[0] not in self._held_back]
        physical = [(self._settings.physical(topic), at) for topic, at in places]
        return {place: self._watch.next.get(place, 0) for place in physical}

    def _hold_back(self, consumer: Consumer) -> None:
        """Fetch nothing of topics that have enough waiting, while others have none."""
        if not self._placed:
            return
        held_back = self._inbox.held_back(self.state.ends, self._held_back)
        for topics, change in (
            (held_back - self._held_back, consumer.pause),
            (self._held_back - held_back, consumer.resume),
        ):
            if places := [Place(self._settings.physical(topic), at) for topic, at in self._assigned if topic in topics]:
                change(places)
        self._held_back = held_back

    def _handle(self, consumer: Consumer, stop: threading.Event, messages: Sequence[Message]) -> None:
        batch, rest = Batch(), deque(messages)
        if not self._persist(consumer, stop, lambda: self._dead_lettering.decode(rest, batch)):
            return
        if batch.dead and not self._persist(consumer, stop, lambda: self._dead_lettering.bury(batch.dead)):
            return
        began = time.monotonic()
        try:
            if not self._persist(consumer, stop, lambda: self._sink.apply(batch), divisible=True):
                return
        except TooSlow:
            self._pace.slower()
            self._inbox.give_back(messages)
            return
        self._pace.took(time.monotonic() - began)
        self.state.positions.update(batch.next_offsets)
        self.state.read += len(batch.records) + len(batch.dead)
        self.state.dead += len(batch.dead)
        self.state.advanced_at = time.time()
        self._commit(consumer, batch)

    def _persist(
        self, consumer: Consumer, stop: threading.Event, action: Callable[[], None], *, divisible: bool = False
    ) -> bool:
        """Carry out an action, waiting while a server is away; tell whether it was done.

        It is not done when `stop` was set or the partitions went to another consumer meanwhile:
        the batch is then dropped, and whoever has the partitions reads it again from the sink's position.

        Raises:
            TooSlow: it was, and the action is `divisible`: try less at once.
        """
        wait, longest = BACKOFF
        assignments = self._assignments
        while True:
            try:
                action()
            except ServerAway as error:
                if not self.state.waiting_for:
                    log.warning("paused", group=self._group, reason=str(error))
                self.state.waiting_for = str(error)
                too_slow = error if isinstance(error, TooSlow) else None
            else:
                if self.state.waiting_for:
                    log.info("resumed", group=self._group)
                self.state.waiting_for = ""
                return True
            if not self._wait(consumer, stop, wait) or assignments != self._assignments:
                self._placed = self._placed and not self._assigned  # whatever was fetched meanwhile is read again
                return False
            self._note_ends(consumer, ASK_SECONDS)
            if too_slow and divisible:
                raise too_slow
            wait = min(wait * 2, longest)

    def _wait(self, consumer: Consumer, stop: threading.Event, seconds: float) -> bool:
        """Stay in the group (polling, paused) for a while; False once `stop` is set."""
        if assigned := consumer.assignment():
            consumer.pause(assigned)
        deadline = time.monotonic() + seconds
        while not stop.is_set() and time.monotonic() < deadline:
            message = consumer.poll(0.1)
            end = end_reached(message) if message else None
            if message and not (end and self._watch.next.get(end[0]) == end[1]):
                self._placed = False  # a message slipped through the pause: start again from the sink's position
        if self._placed and (assigned := consumer.assignment()):
            consumer.resume(assigned)
            self._held_back = set()
        return not stop.is_set()

    def _commit(self, consumer: Consumer, batch: Batch) -> None:
        try:
            consumer.commit(
                offsets=[
                    Place(self._settings.physical(topic), partition, offset)
                    for (topic, partition), offset in batch.next_offsets.items()
                ],
                asynchronous=True,
            )
        except KafkaException as error:  # only lag tools read these
            log.info("commit for lag tools failed", group=self._group, error=str(error))

    def _note_ends(self, consumer: Consumer, timeout: float = 0.0) -> None:
        """Take in where the partitions end: as fetched messages tell, or by asking (`timeout`), as while paused."""
        for topic, partition in self._assigned:
            place = Place(self._settings.physical(topic), partition)
            try:
                if timeout:
                    _, high = consumer.get_watermark_offsets(place, timeout=timeout)
                else:
                    _, high = consumer.get_watermark_offsets(place, cached=True)
            except KafkaException:
                if timeout:
                    return  # the broker is away: asking for the others would only take time
                continue  # not known yet: lag is a courtesy
            if high >= 0:
                self.state.note_end((topic, partition), high, time.monotonic())
