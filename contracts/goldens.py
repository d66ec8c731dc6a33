"""Golden bytes: one encoded sample of every schema version ever released, which must decode for ever."""

import json
from datetime import date, datetime
from importlib.resources import files
from io import BytesIO
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from contracts.events import Event
from contracts.upcasters import upcaster_from
from contracts.versions import SchemaVersion, folder, newest


def golden_names(version: int) -> tuple[str, str]:
    """Return the names of a version's golden files: the Avro body, and what must be read in it."""
    return f"v{version}.golden.avro", f"v{version}.golden.json"


def golden_bytes(event: type[Event], version: int) -> bytes:
    """Return the committed Avro body (no wire header) of a version's sample."""
    return (folder(event) / golden_names(version)[0]).read_bytes()


def golden_record(event: type[Event], version: int) -> dict[str, Any]:
    """Return what the newest reader must find in a version's golden bytes, times as RFC 3339 text."""
    return cast(dict[str, Any], json.loads((folder(event) / golden_names(version)[1]).read_text("utf-8")))


def encode_golden(version: SchemaVersion, record: dict[str, Any]) -> bytes:
    """Encode a record with one schema version, without wire header."""
    out = BytesIO()
    schemaless_writer(out, parse_schema(version.schema), record)
    return out.getvalue()


def decode_golden(event: type[Event], version: SchemaVersion, body: bytes) -> Event:
    """Read a version's bytes as the newest typed event."""
    read = schemaless_reader(BytesIO(body), parse_schema(version.schema), parse_schema(newest(event).schema))
    record = cast(dict[str, Any], read)
    upcast = upcaster_from(version.event, version.version)
    return event.from_record(upcast(record) if upcast else record)


def readable_versions(event: Event) -> dict[str, Any]:
    """Return an event as JSON, times as RFC 3339 text."""
    return cast(dict[str, Any], json.loads(json.dumps(event.to_record(), default=_text)))


def released() -> dict[str, str]:
    """Return the recorded SHA-256 of every released schema file by name."""
    text = (files("contracts") / "schemas" / "released.sha256").read_text("utf-8")
    return {name: digest for digest, name in (line.split() for line in text.splitlines())}


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
