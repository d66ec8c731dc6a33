"""Where the log stood at a moment by the market's clock: found by bisection, message by message."""

from collections.abc import Mapping
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka import TopicPartition as Place

from contracts.topics import Topic
from streaming.damage import refuse_unreadable
from streaming.decoding import own_time
from streaming.errors import KafkaAway
from streaming.headers import read_headers
from streaming.ranges import end_of, partition_number, reading, watermarks
from streaming.settings import StreamSettings


def ranges_until(
    settings: StreamSettings, topic: Topic, moment: datetime, timeout: float = 10.0
) -> dict[int, tuple[int, int]]:
    """Return each partition's first offset, and the first one published after a moment.

    Args:
        moment: aware; what was published at it belongs to the range.
        timeout: seconds without any answer before giving up.

    Raises:
        Damaged: a message that was looked at cannot be made out.
        KafkaAway: the broker does not answer, or has no such topic.
    """
    marks = watermarks(settings, topic, timeout)
    bounds = dict(marks)
    consumer = reading(settings)
    try:
        while middles := {partition: (low + high) // 2 for partition, (low, high) in bounds.items() if low < high}:
            for partition, message in _one_of_each(consumer, settings.physical(topic.name), middles, timeout).items():
                bounds[partition] = halved(bounds[partition], middles[partition], message, moment)
    finally:
        end_of(consumer)
    return {partition: (low, bounds[partition][1]) for partition, (low, _) in marks.items()}


def offsets_at(settings: StreamSettings, topic: Topic, moment: datetime, timeout: float = 10.0) -> dict[int, int]:
    """Return each partition's next offset at a moment. Raises KafkaAway, as `ranges_until`."""
    return {partition: end for partition, (_, end) in ranges_until(settings, topic, moment, timeout).items()}


def halved(bounds: tuple[int, int], middle: int, found: Message | None, moment: datetime) -> tuple[int, int]:
    """Return where the first later message may still be, after a look at the first message from `middle` on.

    Args:
        found: None where there is no such message: offsets may lack, as those of transactions do.
    """
    low, high = bounds
    if found is None or market_time(found) > moment:
        return low, middle
    return min(partition_number(found.offset()) + 1, high), high


def market_time(message: Message) -> datetime:
    """Return when a message was published by the market's clock: its `ce_time`, or its own time if it has none."""
    try:
        told = datetime.fromisoformat(read_headers(message.headers())["ce_time"])
    except (KeyError, ValueError):  # of a foreign writer
        told = own_time(message)
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _one_of_each(
    consumer: Consumer, name: str, offsets: Mapping[int, int], timeout: float
) -> dict[int, Message | None]:
    """Read the first message from an offset on in each partition; None where its end comes first."""
    consumer.assign([Place(name, partition, offset) for partition, offset in offsets.items()])
    found: dict[int, Message | None] = {}
    while len(found) < len(offsets):
        message = consumer.poll(timeout)
        if message is None:
            raise KafkaAway(f"{name}: nothing came for {timeout:.0f} s of partitions {sorted(offsets.keys() - found)}")
        partition = partition_number(message.partition())
        error = message.error()
        if error and error.code() != KafkaError._PARTITION_EOF:
            refuse_unreadable(message)
            raise KafkaAway(f"{name}[{partition}]: {error.str()}")
        found.setdefault(partition, None if error else message)
    return found
