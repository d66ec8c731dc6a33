"""What goes over the sockets: event messages, encoded once, and the control messages around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from contracts.events import BarClosed, ForecastIssued

KINDS = {BarClosed: "bar", ForecastIssued: "forecast"}
OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """Carry one event of the log, encoded, with what subscriptions are matched against.

    `key` names the newest-wins slot when a slow client's queue is conflated; `read_at` is the monotonic second
    at which the gateway read the event; `published_at` the message's own time, in epoch seconds, if it is known;
    `traceparent` the span that published it, while traces are exported. Two messages are equal only if they
    are the same object: that makes a tuple of messages a safe and cheap cache key.
    """

    topic: str
    partition: int
    offset: int
    symbol: str
    interval: str
    role: str
    key: tuple[str, ...]
    body: str
    read_at: float
    published_at: float | None = None
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Say which messages of one topic a client wants; an empty set or string means all."""

    topic: str
    symbols: frozenset[str] = frozenset()
    interval: str = ""
    roles: frozenset[str] = frozenset()

    def wants(self, message: Message) -> bool:
        """Tell whether the message is the client's."""
        return (
            message.topic == self.topic
            and (not self.symbols or message.symbol in self.symbols)
            and (not self.interval or message.interval == self.interval)
            and (not self.roles or message.role in self.roles)
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """Name offsets, both ends included, that a client does not get on this socket."""

    topic: str
    partition: int
    first: int
    last: int
    reason: str


def encode_event(value: Any) -> str:
    """Encode as JSON: times RFC 3339 in UTC with `Z`."""
    return orjson.dumps(value, option=OPTIONS).decode()


def message(
    event: BarClosed | ForecastIssued,
    *,
    topic: str,
    partition: int,
    offset: int,
    epoch: str,
    read_at: float,
    published_at: float | None = None,
    traceparent: str = "",
) -> Message:
    """Encode an event of the log as the message every client gets."""
    body = encode_event(
        {
            "type": KINDS[type(event)],
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "epoch": epoch,
            "data": event.to_record(),
        }
    )
    role = ""
    key: tuple[str, ...] = (event.symbol, event.interval)
    if isinstance(event, ForecastIssued):
        role = event.model.role
        key = (*key, role, event.model.family)
    return Message(
        topic, partition, offset, event.symbol, event.interval, role, key, body, read_at, published_at, traceparent
    )


def frame(bodies: list[str]) -> str:
    """Join encoded messages to one frame: the message itself, or an array of them."""
    return bodies[0] if len(bodies) == 1 else f"[{','.join(bodies)}]"


def hello(topic: str, epoch: str, next_offsets: Mapping[int, int], source: str) -> str:
    """Encode the greeting: the topic's epoch and, per partition, the last offset before the live stream begins."""
    positions = {str(partition): offset - 1 for partition, offset in sorted(next_offsets.items())}
    return encode_event(
        {
            "type": "hello",
            "epochs": {topic: epoch} if epoch else {},
            "positions": {topic: positions} if positions else {},
            "source": source,
        }
    )


def heartbeat(at: datetime, source: str) -> str:
    """Encode a heartbeat; `source` is `live`, or `starting` or `away` while Kafka cannot be read."""
    return encode_event({"type": "heartbeat", "at": at, "source": source})


def gap(missing: Gap, epoch: str) -> str:
    """Encode a gap: the client refetches what it shows of this partition."""
    return encode_event(
        {
            "type": "gap",
            "topic": missing.topic,
            "partition": missing.partition,
            "from": missing.first,
            "to": missing.last,
            "epoch": epoch,
            "reason": missing.reason,
        }
    )


def prediction(request_id: Any, data: Mapping[str, Any]) -> str:
    """Encode the answer to a request made on the socket."""
    return encode_event({"type": "prediction", "id": request_id, "data": data})


def error(request_id: Any, problem: Mapping[str, Any]) -> str:
    """Encode what was wrong with a client's message; the socket stays open."""
    return encode_event({"type": "error", "id": request_id, "error": problem})
