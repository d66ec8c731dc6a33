"""Messages to batches: what nobody can read is told apart, and buried in the dead-letter topic, once."""

from collections import deque
from collections.abc import Collection, Iterable, Sequence

import structlog
from confluent_kafka import Message

from contracts.topics import Topic
from streaming.codec import Codec, Poison
from streaming.dead_letters import DeadLetterFold, DeadLetters
from streaming.decoding import Settled, dead_for_good, to_dead, to_record
from streaming.publisher import Publisher
from streaming.ranges import end_reached, partition_number
from streaming.records import Batch, DeadRecord
from streaming.settings import StreamSettings

log = structlog.get_logger()

FLUSH_SECONDS = 30.0


class DeadLettering:
    """Decodes messages and buries the dead ones.

    Args:
        buries: topics whose unreadable messages are written to the dead-letter topic.
    """

    def __init__(self, settings: StreamSettings, buries: Collection[Topic]) -> None:
        self._settings = settings
        self._buries = {topic.name for topic in buries}
        self._codec = Codec(settings)
        self._publisher: Publisher | None = None  # made when the first message must be buried
        self._dead_letters = DeadLetters(settings)
        self._letters: dict[str, DeadLetterFold] = {}
        self._settled: Settled = {}

    def learn(self, topics: Iterable[str]) -> None:
        """Read which messages of these topics are buried and which are settled.

        Raises:
            KafkaAway: the broker does not answer.
        """
        self._letters = {topic: self._dead_letters.of(topic) for topic in topics}
        self._settled = {place: mark for letters in self._letters.values() for place, mark in letters.settled.items()}

    def decode(self, rest: deque[Message], batch: Batch) -> None:
        """Move messages and ends into a batch; those left when the registry is away wait for the next attempt.

        Raises:
            RegistryAway: a schema cannot be had now.
        """
        while rest:
            message = rest[0]
            logical = self._settings.logical(str(message.topic()))
            if end := end_reached(message):
                batch.next_offsets[logical, end[0][1]] = end[1]
                rest.popleft()
                continue
            try:
                if self._settled and (dead := dead_for_good(self._settled, logical, message)):
                    batch.dead.append(dead)
                else:
                    batch.records.append(to_record(self._codec, logical, message))
            except Poison as poison:
                dead = to_dead(logical, message, poison)
                where = {"topic": message.topic(), "partition": dead.partition, "offset": dead.offset}
                if logical in self._buries:
                    log.error("dead letter", **where, error=dead.error)
                else:
                    log.info("unreadable message passed over", **where, error=dead.error)
                batch.dead.append(dead)
            batch.next_offsets[logical, partition_number(message.partition())] = partition_number(message.offset()) + 1
            rest.popleft()

    def bury(self, messages: Sequence[DeadRecord]) -> None:
        """Write those that were not buried before to their dead-letter topics.

        Raises:
            KafkaAway: they are not acknowledged in time; do it again.
        """
        mine = [dead for dead in messages if dead.topic in self._buries and not self._letters[dead.topic].holds(dead)]
        if not mine:
            return
        self._publisher = self._publisher or Publisher(self._settings, "/foretick/dead-letters")
        for dead in mine:
            self._publisher.bury(dead)
        self._publisher.flush(FLUSH_SECONDS)
