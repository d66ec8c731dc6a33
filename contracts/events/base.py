"""What all events share.  Times are aware datetimes in UTC.

An event that breaks its invariants cannot be constructed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Self

from contracts.ids import stable_id
from contracts.parts import plain_value


class BrokenInvariant(ValueError):
    """An event says something that cannot be true; the text names the field and the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share: a key that orders them, an identity, and their Avro record."""

    NESTED: ClassVar[Mapping[str, Any]] = {}

    @property
    def key(self) -> str:
        """Return the Kafka message key: events of one key keep their order."""
        return str(self.symbol)  # type: ignore[attr-defined]

    @property
    def event_id(self) -> str:
        """Return the deterministic identity (UUIDv5) of this fact."""
        return stable_id(type(self).__name__, *self.identity)

    @property
    def happened_at(self) -> datetime | None:
        """Return the moment of the market that this tells of: nobody can have written it before."""
        return None

    @property
    def identity(self) -> tuple[object, ...]:
        """Return what makes this event itself."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def to_record(self) -> dict[str, Any]:
        """Return the event as a plain record: dicts, lists, numbers, strings and aware datetimes."""
        kind: type = type(self)
        names, values_of = _reading_of(kind)
        record = dict(zip(names, values_of(self), strict=True))
        for name in self.NESTED:
            record[name] = plain_value(record[name])
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build the event from its record.

        Raises:
            BrokenInvariant: the record breaks a rule of this event.
        """
        if not cls.NESTED:
            return cls(**record)
        values = dict(record)
        for name, build in cls.NESTED.items():
            values[name] = build(values[name])
        return cls(**values)


@cache
def _reading_of(kind: type) -> tuple[tuple[str, ...], Callable[[Event], tuple[Any, ...]]]:
    """Return the names of an event's fields, and what reads all of them."""
    names = tuple(field.name for field in fields(kind))
    return names, attrgetter(*names)
