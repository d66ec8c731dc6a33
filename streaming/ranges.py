"""Ranges of the log as Kafka has them: watermarks, epochs, and messages not decoded yet."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicCollection, Uuid
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its types forget it
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from contracts.topics import Topic
from streaming.damage import STALL_SECONDS, Damaged, LogUnsound, LossWatch, stalled
from streaming.errors import KafkaAway
from streaming.settings import StreamSettings

_Answer = TypeVar("_Answer")
READ_MESSAGES = 1000
BEGINNING = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
NEXT = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_NOTICE = 5  # of syslog
# What is asked of a topic just made, or of a broker just started, may meet these; librdkafka's `retriable()` denies it.
_SETTLING = {
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._TRANSPORT,
    KafkaError._NOENT,  # no partition has a leader
}
_NO_ID = str(Uuid(0, 0))
_SETTLED = 2.0  # seconds after which a topic that nobody knows is not about to be known


class HistoryGone(LogUnsound):
    """Offsets that are asked for are no longer in the log; the text names what is missing."""


def partition_number(value: int | None) -> int:
    """Return a coordinate of a consumed message: it always has one."""
    assert value is not None
    return value


def _settling(error: BaseException) -> bool:
    """Tell whether a partition is only about to have a leader: just made, or its broker just started."""
    return isinstance(error, KafkaException) and error.args[0].code() in _SETTLING


def _settled(ask: Callable[[], _Answer], timeout: float) -> _Answer:
    """Ask until the answer is none of a broker that is settling.

    Raises:
        KafkaException: it still was after `timeout` seconds, or another one came.
    """
    trying = Retrying(
        retry=retry_if_exception(_settling), stop=stop_after_delay(timeout), wait=wait_fixed(0.1), reraise=True
    )
    return trying(ask)


def watermarks(
    settings: StreamSettings, topic: Topic | str, timeout: float = 10.0, admin: AdminClient | None = None
) -> dict[int, tuple[int, int]]:
    """Return each partition's first offset and next offset.

    Args:
        admin: an `inquirer` that is there already; None: one is made, which takes longer than to ask.

    Raises:
        KafkaAway: the broker does not answer, or has no such topic.
    """
    name = settings.physical(topic if isinstance(topic, str) else topic.name)
    admin = admin or inquirer(settings)

    def partitions() -> list[int]:
        metadata = admin.list_topics(name, timeout=timeout).topics[name]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        return sorted(metadata.partitions)

    try:
        places = [(name, partition) for partition in _settled(partitions, min(timeout, _SETTLED))]
        first = offsets(admin, places, BEGINNING, timeout)
        following = offsets(admin, places, NEXT, timeout)
        return {place[1]: (first[place], following[place]) for place in places}
    except KafkaException as error:
        raise KafkaAway(f"Kafka at {settings.kafka} does not answer about {name}: {error.args[0].str()}") from error


def inquirer(settings: StreamSettings) -> AdminClient:
    """Return a client to ask the broker with: one that fetches is answered only after its fetch, 50 ms later.

    Hold it while you ask: a client that is collected abandons its requests.  Its log leaves out that it ended.
    """
    return AdminClient({**settings.kafka_config(), "log_level": min(settings.kafka_log_level, _NOTICE)})


def offsets(
    admin: AdminClient, places: Iterable[tuple[str, int]], spec: OffsetSpec, timeout: float
) -> dict[tuple[str, int], int]:
    """Return the offset of each (topic, partition), as it is now; one request for all.

    What a transaction has written is not there before it has ended.

    Args:
        spec: BEGINNING or NEXT.

    Raises:
        KafkaException: the broker does not answer.
    """
    wanted = {Place(*place): spec for place in places}

    def ask() -> dict[tuple[str, int], int]:
        answers = admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=timeout)
        told = {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}
        if lacking := [place for place, offset in told.items() if offset < 0]:  # no error beside it, and yet no answer
            raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE, f"no offset is told of {lacking}"))
        return told

    return _settled(ask, timeout)


def every_end(settings: StreamSettings, timeout: float = 10.0) -> dict[tuple[str, int], int]:
    """Return the next offset of every partition that there is, of any prefix; not of Kafka's own topics.

    Raises:
        KafkaAway: the broker does not answer.
    """
    admin = inquirer(settings)
    try:
        topics = _settled(lambda: admin.list_topics(timeout=timeout).topics, min(timeout, _SETTLED))
        places = [(name, at) for name, topic in topics.items() if not name.startswith("__") for at in topic.partitions]
        return offsets(admin, places, NEXT, timeout) if places else {}
    except KafkaException as error:
        raise KafkaAway(f"Kafka at {settings.kafka} does not answer: {error.args[0].str()}") from error


def topic_epoch(settings: StreamSettings, topic: Topic | str, timeout: float = 10.0) -> str:
    """Return Kafka's id of a topic: another one once the topic was deleted and made again.

    Raises:
        KafkaAway: the broker does not answer.
        LogUnsound: it tells no ids, so that nobody could know a topic that was made again from the one before.
    """
    name = settings.physical(topic if isinstance(topic, str) else topic.name)
    admin = inquirer(settings)

    def ask() -> str:
        told = admin.describe_topics(TopicCollection([name]), request_timeout=timeout)
        return str(told[name].result().topic_id)

    try:
        told = _settled(ask, min(timeout, _SETTLED))
    except KafkaException as error:
        raise KafkaAway(f"Kafka at {settings.kafka} does not describe {name}: {error.args[0].str()}") from error
    if told == _NO_ID:
        raise LogUnsound(
            f"the broker at {settings.kafka} tells no id of {name}, by which one that was made again is "
            "known: it speaks Kafka's Metadata only below version 10. A newer one is needed"
        )
    return told


def messages(
    settings: StreamSettings,
    topic: Topic | str,
    start: Mapping[int, int],
    end: Mapping[int, int],
    *,
    timeout: float = 30.0,
    on_damage: Callable[[Damaged], None] | None = None,
) -> Iterator[tuple[int, int, Message]]:
    """Yield (partition, offset, message) from `start` (inclusive) to `end` (exclusive), in order within a partition.

    Args:
        on_damage: told of each damage, which is passed over as far as it can be; None: it is raised.
        timeout: seconds without any progress before giving up.

    Raises:
        HistoryGone: the log begins after `start`, or ends before `end`.
        Damaged: it is not what was written, or the broker answers and does not give it.
        KafkaAway: the broker did not answer for `timeout` seconds.
    """
    logical = topic if isinstance(topic, str) else topic.name
    name = settings.physical(logical)
    wanted = {partition: offset for partition, offset in end.items() if offset > start.get(partition, 0)}
    if not wanted:
        return
    _refuse_lost_history(logical, start, wanted, watermarks(settings, logical))
    consumer = reading(settings)
    try:
        consumer.assign([Place(name, partition, start.get(partition, 0)) for partition in wanted])
        watch = LossWatch(settings, {(name, partition): start.get(partition, 0) for partition in wanted}, on_damage)
        heard = time.monotonic()
        while wanted:
            first = consumer.poll(0.5)
            found = (
                [] if first is None else [first, *consumer.consume(READ_MESSAGES - 1, 0)]
            )  # a full one is never waited for
            if any(message.error() is None for message in found):
                heard = time.monotonic()
            else:
                _refuse_silence(settings, name, watch, wanted, time.monotonic() - heard, timeout)
            for message in found:
                place, offset = (name, partition_number(message.partition())), partition_number(message.offset())
                partition = place[1]
                if partition not in wanted:
                    continue
                error = message.error()
                if error and error.code() != KafkaError._PARTITION_EOF:
                    if error.code() == KafkaError.UNKNOWN:
                        continue  # what the broker met when it read; if that stays so, nothing will come
                    if not watch.pass_over(message):
                        raise KafkaAway(f"{name}[{partition}]: {error.str()}")
                    consumer.seek(Place(name, partition, watch.next[place]))
                elif offset >= wanted[partition]:
                    watch.reach(place, wanted.pop(partition))
                    continue
                elif not error and watch.take(message):
                    yield partition, offset, message
                if watch.next[place] >= wanted[partition]:
                    del wanted[partition]
    finally:
        end_of(consumer)


def _refuse_silence(
    settings: StreamSettings, name: str, watch: LossWatch, wanted: Mapping[int, int], seconds: float, timeout: float
) -> None:
    """Raise KafkaAway or Damaged if nothing has come for too long: a broker that answers had time to give all."""
    if seconds <= timeout:
        return
    try:
        watermarks(settings, settings.logical(name), 5.0)
    except KafkaAway as error:
        raise KafkaAway(
            f"Kafka at {settings.kafka} sent nothing of {name} for {timeout} s; missing: {dict(wanted)}"
        ) from error
    if seconds > max(timeout, STALL_SECONDS):
        partition = min(wanted)
        raise stalled(name, partition, watch.next[name, partition])


def reading(settings: StreamSettings, *, partition_eof: bool = True) -> Consumer:
    """Return a consumer without a group of its own, to be given partitions and offsets."""
    return Consumer(
        settings.kafka_config(
            group_id="foretick.reader",  # librdkafka wants a name; nothing is committed under it
            enable_auto_commit=False,
            enable_partition_eof=partition_eof,
            auto_offset_reset="error",
            queued_min_messages=10_000,  # of a partition, read ahead: ten times as many would be most of our memory
            fetch_queue_backoff_ms=5,
            fetch_wait_max_ms=50,
        )
    )


def end_reached(message: Message) -> tuple[tuple[str, int], int] | None:
    """Return the (topic, partition) that was read up to its end, and its next offset; None of any other message.

    The end may lie beyond the last message: where transactions ended.
    """
    error = message.error()
    if error is None or error.code() != KafkaError._PARTITION_EOF:
        return None
    return (str(message.topic()), partition_number(message.partition())), partition_number(message.offset())


def end_of(consumer: Consumer, seconds: float = 5.0) -> None:
    """Close a consumer, and do not wait for ever: one that met damage may read it over and over, and never end."""
    closing = threading.Thread(target=consumer.close, name="closing", daemon=True)
    closing.start()
    closing.join(seconds)


def _refuse_lost_history(
    topic: str, start: Mapping[int, int], wanted: Mapping[int, int], marks: Mapping[int, tuple[int, int]]
) -> None:
    for partition, end in wanted.items():
        if partition not in marks:
            raise HistoryGone(f"{topic} has no partition {partition}; it has {sorted(marks)}")
        low, high = marks[partition]
        first = start.get(partition, 0)
        if first < low:
            raise HistoryGone(f"{topic}[{partition}]: offsets {first} to {low - 1} are gone, the log begins at {low}")
        if end > high:
            raise HistoryGone(f"{topic}[{partition}]: offset {end - 1} is asked for, the log ends before {high}")
