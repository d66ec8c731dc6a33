"""Every schema version ever released, as files of this package: `schemas/<Event>/v<N>.avsc`."""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from contracts.events import Event

_VERSION = re.compile(r"v(\d+)\.avsc$")


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """One released version of an event's schema."""

    event: str
    version: int
    text: str

    @property
    def name(self) -> str:
        """Return the name of its file, as the checksums have it."""
        return f"{self.event}/v{self.version}.avsc"

    @property
    def schema(self) -> dict[str, Any]:
        """Return the parsed JSON."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed

    @property
    def field_names(self) -> tuple[str, ...]:
        """Return the names of the event's own fields, in order."""
        return tuple(field["name"] for field in self.schema["fields"])


def folder(event: type[Event]) -> Traversable:
    """Return the folder of an event's schema versions and golden bytes."""
    return _folder(event.__name__)


def _folder(name: str) -> Traversable:
    return files("contracts") / "schemas" / name


def versions(event: type[Event]) -> tuple[SchemaVersion, ...]:
    """Return all versions of an event's schema, oldest first."""
    return _versions(event.__name__)


@cache
def _versions(name: str) -> tuple[SchemaVersion, ...]:
    found = []
    for file in _folder(name).iterdir():
        if match := _VERSION.match(file.name):
            found.append(SchemaVersion(name, int(match[1]), file.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda item: item.version))


def later_fields(event: type[Event]) -> frozenset[str]:
    """Return the fields that versions after the first added: null wherever an older writer says nothing of them."""
    return _later_fields(event.__name__)


@cache
def _later_fields(name: str) -> frozenset[str]:
    history = _versions(name)
    return frozenset(history[-1].field_names) - frozenset(history[0].field_names)


def newest(event: type[Event]) -> SchemaVersion:
    """Return the version that this code writes and reads with."""
    return versions(event)[-1]
