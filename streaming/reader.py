"""Read the log without a consumer group: bounded ranges for folding, an endless tail for relaying."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import structlog
from confluent_kafka import KafkaException, Message
from confluent_kafka import TopicPartition as Place
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, stop_never, wait_exponential_jitter

from contracts.topics import Topic, topic_named
from streaming.codec import Codec, Poison
from streaming.damage import LossWatch, refuse_unreadable
from streaming.decoding import Settled, dead_for_good, to_dead, to_record
from streaming.errors import KafkaAway, RegistryAway
from streaming.ranges import (
    NEXT,
    READ_MESSAGES,
    HistoryGone,
    end_of,
    end_reached,
    inquirer,
    messages,
    offsets,
    reading,
    topic_epoch,
    watermarks,
)
from streaming.records import DeadRecord, Partition, Record
from streaming.registry import SchemaLost
from streaming.settings import StreamSettings
from streaming.stall import Stall

__all__ = ["HistoryGone", "KafkaAway", "Tail", "read_all", "read_range", "topic_epoch", "watermarks"]

log = structlog.get_logger()


def read_range(
    settings: StreamSettings,
    topic: Topic | str,
    start: Mapping[int, int],
    end: Mapping[int, int],
    *,
    on_poison: Literal["raise", "skip"] = "raise",
    on_dead: Callable[[DeadRecord], None] | None = None,
    settled: Settled | None = None,
    timeout: float = 30.0,
) -> Iterator[Record]:
    """Read each partition from `start` (inclusive) to `end` (exclusive), in order within a partition.

    Args:
        on_dead: called with each unreadable message that is skipped.
        settled: messages to skip as unreadable whatever `on_poison` says, and even if they can be read by now.
        timeout: seconds without any progress before giving up.

    Raises:
        HistoryGone: the log begins after `start`, or ends before `end`.
        Damaged: it is not what was written.
        Poison: a message is unreadable and `on_poison` is "raise"; its coordinates are in the text.
        KafkaAway, RegistryAway: a server did not answer for `timeout` seconds.
        SchemaLost: the registry has lost the schema of a message of ours.
    """
    logical = topic if isinstance(topic, str) else topic.name
    codec = Codec(settings)
    for partition, offset, message in messages(settings, logical, start, end, timeout=timeout):
        dead = dead_for_good(settled, logical, message) if settled else None
        if dead is None:
            try:
                yield _patiently(codec, logical, message, timeout)
                continue
            except Poison as poison:
                if on_poison == "raise":
                    raise Poison(f"{logical}[{partition}]@{offset}: {poison}", poison.schema_id) from poison
                dead = to_dead(logical, message, poison)
        if on_dead:
            on_dead(dead)


def read_all(
    settings: StreamSettings, topic: Topic | str, *, on_poison: Literal["raise", "skip"] = "skip"
) -> Iterator[Record]:
    """Read a topic from its first offset to its end as it is now."""
    marks = watermarks(settings, topic)
    start = {partition: low for partition, (low, _) in marks.items()}
    end = {partition: high for partition, (_, high) in marks.items()}
    return read_range(settings, topic, start, end, on_poison=on_poison)


class Tail:
    """Follow topics without a group, from given positions or from their end at construction.

    A broker or registry that is away only delays records.  Unreadable messages are logged and passed over:
    dead-lettering them is the projections' task.

    Args:
        on_dead: called with each of those.
    """

    def __init__(
        self,
        settings: StreamSettings,
        topics: Sequence[Topic],
        positions: Mapping[Partition, int] | None = None,
        on_dead: Callable[[DeadRecord], None] | None = None,
    ) -> None:
        self._settings = settings
        self._codec = Codec(settings)
        self._on_dead = on_dead
        self._consumer = reading(settings)
        self._inquirer = inquirer(settings)
        starts = {
            (settings.physical(topic.name), partition): (positions or {}).get((topic.name, partition), end)
            for topic in topics  # the end is that of now, not of a fetch
            for partition, (_, end) in watermarks(settings, topic, admin=self._inquirer).items()
        }
        self._watch, self._stall = LossWatch(settings, starts), Stall(settings)
        self._consumer.assign([Place(*place, offset) for place, offset in starts.items()])

    def poll(self, timeout: float = 0.5) -> list[Record]:
        """Return what has come, waiting at most `timeout` seconds for the first. Raises Damaged."""
        first = self._consumer.poll(timeout)
        if first is None:
            self._stall.look(self._consumer, self._watch.next)
            return []
        records = []
        for message in [first, *self._consumer.consume(READ_MESSAGES, 0)]:
            if error := message.error():
                if (end := end_reached(message)) is not None:
                    self._watch.reach(*end)
                    continue
                refuse_unreadable(message)
                log.warning("cannot read the log now", error=error.str())
                continue
            if not self._watch.take(message):
                continue
            topic = topic_named(self._settings.logical(str(message.topic()))).name
            try:
                records.append(_patiently(self._codec, topic, message, None))
            except Poison as poison:
                log.warning(
                    "unreadable message",
                    topic=topic,
                    partition=message.partition(),
                    offset=message.offset(),
                    error=str(poison),
                )
                if self._on_dead:
                    self._on_dead(to_dead(topic, message, poison))
        return records

    def rest(self, timeout: float) -> Iterator[list[Record]]:
        """Yield all that is in the log at the time of the call and was not returned before, in batches.

        Args:
            timeout: seconds without any progress before giving up.

        Raises:
            Damaged: it is not what was written.
            KafkaAway: the broker did not answer for `timeout` seconds; what was yielded stays read.
        """
        try:
            ends = offsets(self._inquirer, self._watch.next, NEXT, timeout)
        except KafkaException as error:
            raise KafkaAway(f"Kafka at {self._settings.kafka} does not answer: {error.args[0].str()}") from error
        heard = time.monotonic()
        while missing := {place: end for place, end in ends.items() if self._watch.next[place] < end}:
            if time.monotonic() - heard > timeout:
                raise KafkaAway(f"Kafka at {self._settings.kafka} sent nothing for {timeout} s; missing: {missing}")
            if records := self.poll(0.1):
                heard = time.monotonic()
                yield records

    def close(self) -> None:
        """Stop reading."""
        end_of(self._consumer)


def _patiently(codec: Codec, topic: str, message: Message, timeout: float | None) -> Record:
    """Decode, waiting for the registry if it is away (no limit: `timeout` None)."""
    try:
        return to_record(codec, topic, message)
    except RegistryAway as error:
        if isinstance(error, SchemaLost) and timeout is not None:
            raise  # it does not come back by itself
        log.warning("waiting for the registry", error=str(error))
    for attempt in Retrying(
        retry=retry_if_exception_type(RegistryAway),
        wait=wait_exponential_jitter(initial=0.1, max=2.0),
        stop=stop_never if timeout is None else stop_after_delay(timeout),
        reraise=True,
    ):
        with attempt:
            return to_record(codec, topic, message)
    raise AssertionError("unreachable: the last attempt raises")
