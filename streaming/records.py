"""Messages as the rest of the system sees them: decoded, with their coordinates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.events import Event

Partition = tuple[str, int]  # (topic without prefix, partition)


@dataclass(frozen=True, slots=True)
class Record:
    """An event and where it stands in the log."""

    event: Event
    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: str | None
    headers: Mapping[str, str]
    schema_id: int

    @property
    def event_id(self) -> str:
        """Return the event's identity: the header's, or computed where a foreign writer set none."""
        return self.headers.get("ce_id") or self.event.event_id


@dataclass(frozen=True, slots=True)
class DeadRecord:
    """A message that nobody can read, and why: bound for the dead-letter topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    error: str
    schema_id: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read of the log gave: events, unreadable messages, and the position after them."""

    records: list[Record] = field(default_factory=list)
    dead: list[DeadRecord] = field(default_factory=list)
    next_offsets: dict[Partition, int] = field(default_factory=dict)
