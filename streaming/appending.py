"""Append events on the condition that nobody else has appended since: Kafka's transactions as compare-and-append.

Whoever takes a partition number over, under its transactional id, ends what the writer before had begun and fences it
off.  So who takes over, reads up to the end, decides what is news and appends it, has decided by all that the log
holds; or is overtaken, and nothing of it is there.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from confluent_kafka import KafkaError, KafkaException

from contracts.events import Event
from contracts.topics import STOCK_DATA, topic_of
from streaming.errors import KafkaAway
from streaming.headers import SEQUENCE
from streaming.partitioner import partition_of
from streaming.publisher import Publisher, PublishFailed
from streaming.ranges import watermarks
from streaming.settings import StreamSettings

# A writer that ended or was cut off in mid-transaction holds up readers of its partitions so long, or until another one
# takes them over.
TRANSACTION_SECONDS = 20.0
_LOOK = 2.0  # seconds between two looks at whether we are to stop, while Kafka is away
_OVERTAKEN = {KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED}
_FORBIDDEN = {
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}


class Overtaken(Exception):
    """Another writer has taken a partition over since: nothing was appended; read, decide and append anew."""


class Appender:
    """The writer of the partition numbers that it has taken.

    Args:
        source: CloudEvents source of what it appends, such as `/foretick/producers`; the last part names its
            transactional ids.
        stop: ends every wait, with KafkaAway or RegistryAway.
        waiting: told what is waited for.
    """

    def __init__(
        self,
        settings: StreamSettings,
        source: str,
        stop: threading.Event | None = None,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings, self._source, self._stop, self._waiting = settings, source, stop or threading.Event(), waiting
        self._partitions = 0  # not asked yet
        self._writers: dict[int, _Writer] = {}

    def number_of(self, key: str) -> int:
        """Return the partition number of a key. Raises KafkaAway."""
        self._partitions = self._partitions or len(watermarks(self._settings, STOCK_DATA))
        return partition_of(key, self._partitions)

    def writes(self, key: str) -> bool:
        """Tell whether a key's partition was taken, and no append to it has failed since."""
        return self.number_of(key) in self._writers

    def take(self, keys: Iterable[str]) -> None:
        """Become the writer of these keys' partitions, where this is not so yet; who was it is fenced off.

        Raises:
            KafkaAway: the broker does not answer.
            PublishFailed: it does not allow that.
        """
        missing = sorted({self.number_of(key) for key in keys} - self._writers.keys())
        if not missing:
            return
        with ThreadPoolExecutor(len(missing)) as pool:  # each waits half a second for its coordinator
            self._writers.update(pool.map(self._taken, missing))

    def append(
        self,
        events: Sequence[Event],
        time: datetime,
        sequences: Mapping[str, int],
        progress: Callable[[int], None] = lambda _: None,
    ) -> dict[str, int]:
        """Append events of one key, all or none; its partition was taken.

        Args:
            time: when, by the market's clock (`ce_time`).
            sequences: by topic, how many events stand in the key's partition.
            progress: told now and then how many events were queued.

        Returns:
            As `sequences`, after these events: readers come to them a moment later, when the broker has ended the
            transaction.

        Raises:
            Overtaken: another writer has taken the partition over; take it again, then read and decide again.
            KafkaAway: the broker does not answer: nobody knows whether they are there, until the partition is taken
                again.
            PublishFailed: the broker refused one of them.
        """
        number = self.number_of(events[0].key)
        try:
            return self._writers[number].append(events, time, sequences, progress)
        except BaseException:
            self._writers.pop(number).drop()  # whatever it began ends when the partition is taken again
            raise

    def close(self) -> None:
        """Let go of all partitions."""
        for writer in self._writers.values():
            writer.drop()
        self._writers.clear()

    def _taken(self, number: int) -> tuple[int, "_Writer"]:
        writer = _Writer(self._settings, self._source, self._stop, self._waiting, number)
        writer.take()
        return number, writer


class _Writer(Publisher):
    """The writer of one partition number, until it is overtaken or an append fails."""

    def __init__(
        self,
        settings: StreamSettings,
        source: str,
        stop: threading.Event,
        waiting: Callable[[str], None],
        number: int,
    ) -> None:
        writer = settings.topic_prefix + source.rpartition("/")[2]
        super().__init__(
            settings,
            source,
            stop,
            transactional_id=f"{writer}-{number}",
            transaction_timeout_ms=int(1000 * TRANSACTION_SECONDS),
        )
        self._number, self._waiting = number, waiting

    def take(self) -> None:
        self._patiently(self._producer.init_transactions)

    def append(
        self, events: Sequence[Event], time: datetime, sequences: Mapping[str, int], progress: Callable[[int], None]
    ) -> dict[str, int]:
        following = dict(sequences)
        ready = []
        for event in events:  # before the transaction: the registry may be away for long
            name = topic_of(type(event)).name
            topic, value, key, headers, delivered = self._ready(event, time, None)
            headers.append((SEQUENCE, f"{following[name]:020d}"))
            following[name] += 1
            ready.append((topic, value, key, headers, delivered))
        self._patiently(lambda _: self._producer.begin_transaction())
        for count, (topic, value, key, headers, delivered) in enumerate(ready, start=1):
            self._produce(topic, value, key, headers, delivered=delivered, partition=self._number)
            if count % 250 == 0:
                progress(count)
        self._patiently(self._producer.commit_transaction)
        return following

    def drop(self) -> None:
        """Leave it as it is; what waits to be sent is thrown away."""
        self._producer.purge()

    def _patiently(self, act: Callable[[float], None]) -> None:
        deadline = time.monotonic() + TRANSACTION_SECONDS
        while True:
            try:
                act(_LOOK)
                return
            except KafkaException as error:
                told = self._told(error)
                away = isinstance(told, KafkaAway) and error.args[0].retriable()
                if not away or self._stop.is_set() or time.monotonic() > deadline:
                    raise told from error
                self._waiting(str(told))

    def _refused(self, topic: str, error: KafkaException) -> Exception:
        return self._told(error)

    def _told(self, error: KafkaException) -> Exception:
        """Return what an error of Kafka's client means for whoever appends."""
        cause: KafkaError = error.args[0]
        failed = self._failed()
        if cause.code() in _OVERTAKEN:
            return Overtaken(f"another writer has taken partition {self._number} over")
        if cause.code() in _FORBIDDEN:
            return PublishFailed(f"{cause.str()}: docs/reference/rights.md has the rights that writers of bars need")
        if failed:
            return failed
        return KafkaAway(f"Kafka at {self._settings.kafka} does not take what is to be appended: {cause.str()}")
