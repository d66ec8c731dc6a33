"""How a schema version comes to be: a copy of the newest one, edited, judged, then released for ever."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from contracts.events import Event
from contracts.goldens import decode_golden, encode_golden, golden_names, readable_versions, released
from contracts.samples import sample
from contracts.tools.compatibility import incompatibilities
from contracts.versions import SchemaVersion, newest, versions

CHECKSUMS = "released.sha256"
_PYTHON = {"double": "float", "float": "float", "int": "int", "long": "int", "string": "str", "boolean": "bool"}
_LOGICAL = {"timestamp-micros": "datetime", "timestamp-millis": "datetime", "date": "date"}


def draft(event: type[Event]) -> SchemaVersion | None:
    """Return the newest version if it is not released yet."""
    version = newest(event)
    return None if version.name in released() else version


def begin(event: type[Event], schemas: Path) -> Path:
    """Copy the newest version of an event's schema to the next number; return the new file, to be edited."""
    version = newest(event)
    path = schemas / version.event / f"v{version.version + 1}.avsc"
    path.write_text(version.text, encoding="utf-8")
    return path


def obstacles(event: type[Event]) -> list[str]:
    """Return why the draft of an event cannot be released, each with what to do; empty where it can."""
    version = newest(event)
    history = versions(event)
    earlier = history[:-1]
    path = f"contracts/schemas/{version.name}"
    if earlier and version.schema == earlier[-1].schema:
        return [f"{path} is still a copy of v{earlier[-1].version}: edit it, then run this again"]
    return [
        *map(str, incompatibilities(history)),
        *_typed(event, version),
        *(f"{path}: {field['name']} has no doc" for field in version.schema["fields"] if not field.get("doc")),
    ]


def release_version(event: type[Event], schemas: Path) -> list[Path]:
    """Write golden bytes and checksum of an event's draft; return the files written.

    Checksums of released versions are left as they are: a version that was changed in place stays found.
    """
    version = newest(event)
    body_file, record_file = (schemas / version.event / name for name in golden_names(version.version))
    body = encode_golden(version, sample(event).to_record())
    body_file.write_bytes(body)
    text = json.dumps(readable_versions(decode_golden(event, version, body)), indent=2, ensure_ascii=False)
    record_file.write_text(text + "\n", encoding="utf-8")
    sums = released() | {version.name: schema_fingerprint(version)}
    (schemas / CHECKSUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    return [body_file, record_file, schemas / CHECKSUMS]


def schema_fingerprint(version: SchemaVersion) -> str:
    """Return the SHA-256 of a schema file: that of a released one never changes."""
    return hashlib.sha256(version.text.encode()).hexdigest()


def file_of(event: type[Event]) -> str:
    """Return the file of an event's class in the project."""
    return f"{event.__module__.replace('.', '/')}.py"


def _typed(event: type[Event], version: SchemaVersion) -> Iterator[str]:
    """Say where the typed event and its sample do not follow the schema."""
    typed = {field.name for field in fields(event)}
    for field in version.schema["fields"]:
        if (name := field["name"]) not in typed:
            yield f"{file_of(event)}: {event.__name__} lacks the field; add `{name}: {_annotation(field['type'])}`"
        elif getattr(sample(event), name) is None and name not in _fields_before(event, version):
            yield f"contracts/samples.py: the sample lacks {name}; give it a value, so that the golden bytes have one"
    for name in sorted(typed - set(version.field_names)):
        yield f"contracts/schemas/{version.name} lacks {name}, which {event.__name__} in {file_of(event)} has"


def _fields_before(event: type[Event], version: SchemaVersion) -> set[str]:
    return {name for each in versions(event) if each.version < version.version for name in each.field_names}


def _annotation(schema: Any) -> str:
    if isinstance(schema, list):
        names = [_annotation(branch) for branch in schema if branch != "null"]
        return " | ".join([*names, "None"]) + " = None" if "null" in schema else " | ".join(names)
    if isinstance(schema, dict):
        return _LOGICAL.get(schema.get("logicalType", "")) or _PYTHON.get(schema["type"], "...")
    return _PYTHON.get(schema, "...")
