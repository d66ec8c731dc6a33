"""Topics read up to their present end, each time from where the last reading ended."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import structlog

from contracts.topics import Topic
from streaming.ranges import topic_epoch, watermarks
from streaming.reader import read_range
from streaming.records import DeadRecord, Partition, Record
from streaming.settings import StreamSettings

log = structlog.get_logger()


class TopicReader(Protocol):
    """A topic that can be read up to its present end."""

    def news(self) -> Iterator[Record]:
        """Give what has come since."""
        ...

    def positions(self) -> dict[Partition, int]:
        """Return the next offset of each partition read so far."""
        ...


class KafkaTopicReader:
    """A topic of the log; unreadable messages are passed over: the projections dead-letter them, once."""

    def __init__(self, settings: StreamSettings, topic: Topic) -> None:
        self._settings = settings
        self._topic = topic
        self._next: dict[int, int] = {}

    def news(self) -> Iterator[Record]:
        """Give what has come since; after a failure the same events are given again.

        Raises:
            KafkaAway, RegistryAway: a server does not answer.
        """
        marks = watermarks(self._settings, self._topic)
        start = {partition: max(low, self._next.get(partition, 0)) for partition, (low, _) in marks.items()}
        end = {partition: high for partition, (_, high) in marks.items()}
        yield from read_range(self._settings, self._topic, start, end, on_poison="skip", on_dead=_pass_over)
        self._next = end

    def positions(self) -> dict[Partition, int]:
        """Return the next offset of each partition read so far."""
        return {(self._topic.name, partition): offset for partition, offset in self._next.items()}


class ReadableLog(Protocol):
    """The log, as far as states are folded of it."""

    def epoch(self, topic: Topic) -> str:
        """Return the id of a topic as it is now: another one, once it was made anew."""
        ...

    def marks(self, topic: Topic) -> dict[int, tuple[int, int]]:
        """Return the first and the next offset of each partition."""
        ...

    def read(self, topic: Topic, start: Mapping[int, int], end: Mapping[int, int]) -> Iterator[Record]:
        """Yield what can be read of each partition from `start` (inclusive) to `end` (exclusive)."""
        ...


class KafkaLog:
    """The log, for states that are folded of it (a `ReadableLog`).

    Args:
        on_dead: called with each unreadable message that is passed over.
        patience: seconds that the broker has for an answer.
    """

    def __init__(
        self, settings: StreamSettings, on_dead: Callable[[DeadRecord], None] | None = None, patience: float = 10.0
    ) -> None:
        self._settings, self._on_dead, self._patience = settings, on_dead or _pass_over, patience

    def epoch(self, topic: Topic) -> str:
        """Return the id of a topic as it is now: another one, once it was made anew."""
        return topic_epoch(self._settings, topic, self._patience)

    def marks(self, topic: Topic) -> dict[int, tuple[int, int]]:
        """Return the first and the next offset of each partition."""
        return watermarks(self._settings, topic, self._patience)

    def read(self, topic: Topic, start: Mapping[int, int], end: Mapping[int, int]) -> Iterator[Record]:
        """Yield what can be read of each partition from `start` (inclusive) to `end` (exclusive)."""
        return read_range(self._settings, topic, start, end, on_poison="skip", on_dead=self._on_dead)


def end_offsets(settings: StreamSettings, topic: Topic) -> dict[Partition, int]:
    """Return where each partition of a topic ends now: the next offset.

    Raises:
        KafkaAway: the broker does not answer.
    """
    return {(topic.name, partition): end for partition, (_, end) in watermarks(settings, topic).items()}


def _pass_over(dead: DeadRecord) -> None:
    where = {"topic": dead.topic, "partition": dead.partition, "offset": dead.offset}
    log.warning("unreadable message passed over", **where, error=dead.error)
