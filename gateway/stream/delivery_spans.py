"""The end of an event's trace: a span from its reading to its first client, while traces are exported."""

import time
from collections import OrderedDict
from collections.abc import Sequence

from opentelemetry.trace import SpanKind

from gateway.stream.messages import Message
from streaming.tracing import tracing

REMEMBERED = 10_000


class DeliverySpans:
    """Make one span for each event, when the first client has taken it."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, int, int], None] = OrderedDict()

    def note(self, messages: Sequence[Message]) -> None:
        """Note that a client has taken messages."""
        if not tracing.on:
            return
        now = time.monotonic()
        for message in messages:
            event = (message.topic, message.partition, message.offset)
            if not message.traceparent or event in self._seen:
                continue
            self._seen[event] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            attributes: dict[str, str | int | float] = {
                "messaging.system": "kafka",
                "messaging.destination.name": message.topic,
                "messaging.destination.partition.id": message.partition,
                "messaging.kafka.message.offset": message.offset,
                "foretick.symbol": message.symbol,
            }
            name, parent, ago = f"deliver {message.topic}", message.traceparent, now - message.read_at
            tracing.span(name, SpanKind.CONSUMER, parent, attributes, ago).end()
