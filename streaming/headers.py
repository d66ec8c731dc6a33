"""CloudEvents headers (Kafka protocol binding 1.0.2, binary mode) and W3C trace context."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache

from contracts.events import Event
from contracts.ids import stamp

OWN = "/foretick/"  # what every source of ours begins with
SEQUENCE = "ce_sequence"  # how many events stand before one in its partition; of events that were appended (`Appender`)


def headers_for(
    event: Event, source: str, time: datetime, cause: Mapping[str, str] | None = None, traceparent: str = ""
) -> list[tuple[str, str | bytes | None]]:
    """Return the headers of an event.

    Args:
        cause: the headers of the event that led to it, if one did.
        traceparent: the span that publishes it, if spans are made.
    """
    cause = cause or {}
    event_id = event.event_id
    headers: list[tuple[str, str | bytes | None]] = [
        ("ce_specversion", "1.0"),
        ("ce_id", event_id),
        ("ce_source", source),
        ("ce_type", f"foretick.{type(event).__name__}"),
        ("ce_time", _stamped(time, time.tzinfo)),
        ("ce_subject", event.key),
        ("content-type", "application/avro"),
        ("traceparent", traceparent or continue_trace(cause.get("traceparent"), event_id.replace("-", ""))),
    ]
    if causation := cause.get("ce_id"):
        headers.append(("ce_causationid", causation))
    return headers


def continue_trace(parent: str | None, own: str = "") -> str:
    """Return a `traceparent` with a new span, in the parent's trace or in a new one (W3C Trace Context 1).

    Args:
        own: 32 hex digits that are nobody else's; drawn unless given.
    """
    own = own or secrets.token_hex(16)
    parts = parent.split("-") if parent else ()
    trace = parts[1] if len(parts) == 4 and len(parts[1]) == 32 else own
    return f"00-{trace}-{own[16:]}-01"


@lru_cache(16)  # what is published together has one time
def _stamped(time: datetime, zone: tzinfo | None) -> str:
    return stamp(time)


RawHeaders = Mapping[str, bytes | str | None] | Sequence[tuple[str, bytes | str | None]] | None


def raw_headers(raw: RawHeaders) -> list[tuple[str, bytes]]:
    """Return a message's headers as they came, in order."""
    items = raw.items() if isinstance(raw, Mapping) else raw or ()
    return [(name, value.encode() if isinstance(value, str) else value or b"") for name, value in items]


def read_headers(raw: RawHeaders) -> dict[str, str]:
    """Return a message's headers as text; bytes that are no UTF-8 are shown escaped."""
    return {name: value.decode("utf-8", "backslashreplace") for name, value in raw_headers(raw)}


def source_of(raw: RawHeaders) -> str:
    """Return who a message says it is from (`ce_source`); empty where it says nothing."""
    return read_headers(raw).get("ce_source", "")


def sequence_of(raw: RawHeaders) -> int | None:
    """Return how many events stand before a message in its partition; None where it does not say."""
    told = read_headers(raw).get(SEQUENCE, "")
    return int(told) if told.isdecimal() else None


class Headers(Mapping[str, str]):
    """A message's headers, read when somebody looks at them: most readers of the log never do."""

    __slots__ = ("_raw", "_read")

    def __init__(self, raw: Callable[[], RawHeaders]) -> None:
        self._raw = raw
        self._read: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def _all(self) -> dict[str, str]:
        if self._read is None:
            self._read = read_headers(self._raw())
        return self._read
