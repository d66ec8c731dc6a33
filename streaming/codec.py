"""Events to bytes and back: Confluent wire format (magic byte, schema id, Avro), schemas parsed once an id."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from contracts.events import BrokenInvariant, Event
from contracts.topics import TOPICS, Topic, topic_named, topic_of
from contracts.upcasters import Upcaster, upcaster_from
from contracts.versions import SchemaVersion, newest, versions
from streaming.errors import RegistryAway
from streaming.registry import Registry, SchemaUnknown
from streaming.settings import StreamSettings

__all__ = ["Codec", "Poison", "RegistryAway"]

_HEADER = struct.Struct(">bI")
_MAGIC = 0
_EVENTS = {topic.name: topic.event for topic in TOPICS}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = {"type": "long", "logicalType": "timestamp-micros"}


class Poison(Exception):
    """These bytes can never be read as the event they should be: a fault of the data, not of a server."""

    def __init__(self, reason: str, schema_id: int | None = None) -> None:
        super().__init__(reason)
        self.schema_id = schema_id


@dataclass(frozen=True, slots=True)
class _Writing:
    """How the events of one topic are written: the wire format's first bytes, the schema, and its own times."""

    head: bytes
    schema: Any
    times: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the messages of one schema id are read.

    Args:
        reader: None where the writer's schema is the newest.
        times: the event's own fields that are read as plain numbers, microseconds since 1970, and made times here:
            that takes a third of the time that the Avro library needs for it.
        upcast: says an older meaning again; None where nothing is to be done.
    """

    writer: Any
    reader: Any
    times: tuple[str, ...]
    upcast: Upcaster | None


class Codec:
    """Encodes with the newest schema version, decodes any registered one into the newest typed event."""

    def __init__(self, settings: StreamSettings) -> None:
        self._registry = Registry(settings)
        self._writing: dict[str, _Writing] = {}
        self._reading: dict[tuple[str, int], _Reading] = {}

    def encode(self, event: Event) -> bytes:
        """Return the message value of an event.

        Raises:
            SchemaUnknown: the schema was never registered (producers do not register by themselves).
            RegistryAway: the registry does not answer.
        """
        topic = topic_of(type(event))
        how = self._writing.get(topic.name)
        if how is None:
            version = newest(topic.event)
            head = _HEADER.pack(_MAGIC, self._registry.id_of(topic, version))
            how = _Writing(head, parse_schema(_bare(version.schema)), tuple(_times(version.schema)))
            self._writing[topic.name] = how
        record = event.to_record()
        for name in how.times:
            record[name] = micros(record[name])
        out = BytesIO()
        out.write(how.head)
        schemaless_writer(out, how.schema, record)
        return out.getvalue()

    def decode(self, topic_name: str, value: bytes | None) -> tuple[int, Event]:
        """Return the schema id and the event of a message value.

        Raises:
            Poison: no event can be read from these bytes.
            RegistryAway: the schema is not cached and the registry does not answer.
        """
        schema_id, record = self.decode_record(topic_name, value)
        return schema_id, _built(_EVENTS[topic_name], record, schema_id)

    def written_as(self, topic_name: str, value: bytes | None) -> SchemaVersion | None:
        """Return the oldest version of ours that reads these bytes, all of them, as a sound event; None: none does.

        The schema id in front is not heeded: this tells what a message was written with once a registry has lost it.
        """
        if value is None or schema_id_of(value) is None:
            return None
        topic = topic_named(topic_name)
        for version in versions(topic.event):
            try:
                _built(topic.event, _record(topic.event, _reading(topic, version.schema), value, None), None)
            except Poison:
                continue
            return version
        return None

    def decode_record(self, topic_name: str, value: bytes | None) -> tuple[int, dict[str, Any]]:
        """Return the schema id and the plain record of a message value, whatever it says; raises as `decode` does."""
        if value is None or len(value) < _HEADER.size:
            raise Poison(f"{len(value or b'')} bytes are too few for a magic byte and a schema id")
        magic, schema_id = _HEADER.unpack_from(value)
        if magic != _MAGIC:
            raise Poison(f"magic byte {magic}, not {_MAGIC}: not in Confluent wire format")
        how = self._reading.get((topic_name, schema_id)) or self._learn(topic_named(topic_name), schema_id)
        return schema_id, _record(_EVENTS[topic_name], how, value, schema_id)

    def _learn(self, topic: Topic, schema_id: int) -> _Reading:
        try:
            text = self._registry.schema_text(schema_id)
        except SchemaUnknown as error:
            raise Poison(f"schema id {schema_id} is not in the registry", schema_id) from error
        written = json.loads(text)
        own = newest(topic.event).schema
        if written.get("name") != own["name"] or written.get("namespace") != own["namespace"]:
            raise Poison(f"schema id {schema_id} is of {written.get('name')}, not of {own['name']}", schema_id)
        learned = self._reading[topic.name, schema_id] = _reading(topic, written)
        return learned


def schema_id_of(value: bytes | None) -> int | None:
    """Return the schema id in front of a message value; None where there is none."""
    if value is None or len(value) < _HEADER.size:
        return None
    magic, schema_id = _HEADER.unpack_from(value)
    return int(schema_id) if magic == _MAGIC else None


def _reading(topic: Topic, written: Mapping[str, Any]) -> _Reading:
    """Return how to read what was written with a schema of a topic's event."""
    own = newest(topic.event).schema
    names = {field["name"] for field in own["fields"]}
    times = tuple(name for name in _times(written) if name in names)
    reader = None if written == own else parse_schema(_bare(own))
    ours = [version for version in versions(topic.event) if version.schema == written]
    upcast = upcaster_from(ours[0].event, ours[0].version) if ours else None
    return _Reading(parse_schema(_bare(written)), reader, times, upcast)


def _record(event: type[Event], how: _Reading, value: bytes, schema_id: int | None) -> dict[str, Any]:
    """Return the plain record of a message value in the newest terms. Raises Poison."""
    body = BytesIO(value)
    body.seek(_HEADER.size)
    try:
        record = cast(dict[str, Any], schemaless_reader(body, how.writer, how.reader))
        for name in how.times:
            record[name] = utc(record[name])
    except (EOFError, IndexError, ValueError, TypeError, KeyError, OverflowError, struct.error) as error:
        raise Poison(f"no {event.__name__} in these bytes: {error or type(error).__name__}", schema_id) from error
    if body.tell() != len(value):
        raise Poison(f"{len(value) - body.tell()} bytes too many after the event", schema_id)
    return how.upcast(record) if how.upcast else record


def _built(event: type[Event], record: Mapping[str, Any], schema_id: int | None) -> Event:
    """Return the event of a record. Raises Poison."""
    try:
        return event.from_record(record)
    except BrokenInvariant as error:
        raise Poison(f"broken invariant: {error}", schema_id) from error
    except (ValueError, TypeError, KeyError) as error:
        raise Poison(f"no {event.__name__} in these bytes: {error or type(error).__name__}", schema_id) from error


def _times(schema: Mapping[str, Any]) -> list[str]:
    """Return the names of a record's own fields that are times."""
    return [field["name"] for field in schema.get("fields", ()) if field["type"] == _TIME]


def _bare(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with its own times as the numbers that they are on the wire."""
    if not _times(schema):
        return dict(schema)
    fields = [{**field, "type": "long"} if field["type"] == _TIME else field for field in schema["fields"]]
    return {**schema, "fields": fields}


def micros(moment: datetime) -> int:
    """Return the microseconds from 1970 to an aware moment."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@lru_cache(4096)
def utc(micros: int) -> datetime:
    """Return the time so many microseconds after 1970; events share theirs, so most are made already."""
    return _EPOCH + timedelta(microseconds=micros)
