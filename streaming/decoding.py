"""A message of the log as a record, or as a dead one: what can be read, and whether it can stand where it stands."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from contracts.events import BarClosed, Event
from contracts.ids import stamp
from streaming.codec import Codec, Poison, utc
from streaming.headers import OWN, Headers, raw_headers, source_of
from streaming.ranges import partition_number
from streaming.records import DeadRecord, Record
from streaming.registry import SchemaLost

_SKEW = timedelta(hours=2)  # by which clocks may be wrong: what is told sooner after it happened is not of the future

_LAST_MILLIS = 253_370_764_800_000  # the year 9999

# Messages that are dead letters for good, by (topic, partition, offset): the SHA-256 of each one's bytes.
Settled = Mapping[tuple[str, int, int], bytes]


def to_record(codec: Codec, topic: str, message: Message) -> Record:
    """Decode a message.

    Raises:
        Poison: it cannot be read, or says what cannot be (`misplaced`).
        SchemaLost: it is one of ours, and the registry has its schema no more.
        RegistryAway: its schema cannot be had now.
    """
    try:
        schema_id, event = codec.decode(topic, message.value())
    except Poison as poison:
        _refuse_lost(codec, topic, message, poison)
        raise
    raw = message.key()
    key = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    moment = own_time(message)
    if fault := misplaced(event, key, moment):
        raise Poison(fault, schema_id)
    return Record(
        event,
        topic,
        partition_number(message.partition()),
        partition_number(message.offset()),
        moment,
        key,
        Headers(message.headers),
        schema_id,
    )


def misplaced(event: Event, key: str | None, moment: datetime) -> str:
    """Say why an event, sound in itself, cannot stand in the log as it does; empty where it can.

    Args:
        key: the message's key: by it a partition is chosen, so another one tears the order of the event's own.
        moment: the message's own time.
    """
    if key != event.key:
        return f"the message's key is {key!r}, the event's is {event.key!r}: it would be out of its order"
    if happened := event.happened_at:
        # A replayed market is behind the clock on the wall: when a bar was recorded is told by its own.
        written = min(event.recorded_at, moment) if isinstance(event, BarClosed) else moment
        if happened > written + _SKEW:
            return f"{type(event).__name__} of the future: it tells of {stamp(happened)} and is of {stamp(written)}"
    return ""


def _refuse_lost(codec: Codec, topic: str, message: Message, poison: Poison) -> None:
    """Raise SchemaLost if a message of ours is sound by a schema of ours: the registry is at fault, not the data."""
    if not source_of(message.headers()).startswith(OWN):
        return
    if version := codec.written_as(topic, message.value()):
        raise SchemaLost(
            f"{topic}[{message.partition()}]@{message.offset()} was written as {version.event} v{version.version} with "
            f"schema id {poison.schema_id}, and the registry has lost that: {poison}. "
            "`foretick contracts restore` gives it back with the ids that the log uses"
        )


def own_time(message: Message) -> datetime:
    """Return a message's own time; 1970 if it has none, the nearest that can be told if it is beyond (nanoseconds)."""
    kind, millis = message.timestamp()
    return utc(0 if kind == TIMESTAMP_NOT_AVAILABLE else min(max(millis, 0), _LAST_MILLIS) * 1000)


def to_dead(topic: str, message: Message, error: Poison) -> DeadRecord:
    """Describe a message that cannot be read."""
    key = message.key()
    return DeadRecord(
        topic=topic,
        partition=partition_number(message.partition()),
        offset=partition_number(message.offset()),
        key=key.encode() if isinstance(key, str) else key,
        value=message.value(),
        headers=tuple(raw_headers(message.headers())),
        error=str(error),
        schema_id=error.schema_id,
    )


def dead_for_good(settled: Settled, topic: str, message: Message) -> DeadRecord | None:
    """Return a message as a dead letter if it was settled as one: another topic's bytes at its place are not meant."""
    found = settled.get((topic, partition_number(message.partition()), partition_number(message.offset())))
    if found is None or found != sha256(message.value() or b"").digest():
        return None
    return to_dead(topic, message, Poison("settled: its dead letter was redriven or dropped"))
