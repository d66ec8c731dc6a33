"""Publish events: idempotent, acknowledged by all replicas, never registering a schema by itself."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Protocol, Self

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from opentelemetry.trace import Span, SpanKind
from tenacity import Retrying, retry_if_exception_type, stop_when_event_set, wait_exponential_jitter

from contracts.events import Event
from contracts.topics import topic_named, topic_of
from streaming.codec import Codec
from streaming.dead_letters import letter_headers
from streaming.errors import KafkaAway, RegistryAway
from streaming.headers import headers_for
from streaming.ranges import partition_number
from streaming.records import DeadRecord
from streaming.settings import StreamSettings
from streaming.tracing import traceparent, tracing

log = structlog.get_logger()

# A message's own time is this machine's, whatever the market's clock says: a broker forgets writers whose messages look
# older than a day, and would take a batch that is sent again after a crash for a new one.
_NOW = 0  # as librdkafka spells it
_CHOSEN = -1  # a partition by its key
_POLL_EVERY = 100  # messages
_MessageHeaders = list[tuple[str, str | bytes | None]]
_OnDelivery = Callable[[KafkaError | None, Message], None]
_Ready = tuple[str, bytes, bytes, _MessageHeaders, _OnDelivery | None]  # topic, value, key, headers


class PublishFailed(Exception):
    """The broker refused an event for good; the text names topic, key and the broker's reason."""


class Cause(Protocol):
    """What an effect names as its cause: a record, or what was kept of it."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers that name the event and its trace: `ce_id`, `traceparent`."""
        ...


class EventOutput(Protocol):
    """Where a service publishes: a Publisher, or what a test holds in its place."""

    def publish(self, event: Event, *, time: datetime, cause: Cause | None = None) -> None:
        """Queue an event."""
        ...

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all that is queued was acknowledged."""
        ...


class Publisher:
    """Writes events to their topics.  Broker or registry away: waits, loses nothing.

    Args:
        source: CloudEvents source of what this publisher writes, such as `/foretick/producers`.
        stop: when set, waiting for the registry ends with RegistryAway.
        receipts: whether single messages are waited for: `deliver`.
        options: further ones of Kafka's client.
    """

    def __init__(
        self,
        settings: StreamSettings,
        source: str,
        stop: threading.Event | None = None,
        *,
        receipts: bool = False,
        **options: str | int | bool,
    ) -> None:
        self._settings = settings
        self._source = source
        self._codec = Codec(settings)
        self._stop = stop or threading.Event()
        self._failures: list[str] = []
        self._queued = 0
        self._producer = Producer(
            settings.kafka_config(
                enable_idempotence=True,
                acks="all",
                compression_type="gzip",  # it has a checksum, which readers look at: streaming/damage.py
                compression_level=1,  # half of the time, for a tenth more bytes
                delivery_report_only_error=not (receipts or tracing.on),
                linger_ms=5,
                message_timeout_ms=0,  # no limit: an outage delays events, it does not drop them
                partitioner="murmur2_random",  # the Java clients' choice, so every writer agrees on a key's partition
                **options,
            )
        )

    def publish(self, event: Event, *, time: datetime, cause: Cause | None = None) -> None:
        """Queue an event; `flush` tells whether it arrived.

        Args:
            time: when, by the market's clock (`ce_time`); by it offsets are found later: `recorded_at` and the like.
            cause: the event that led to this one.
        """
        topic, value, key, headers, delivered = self._ready(event, time, cause)
        self._produce(topic, value, key, headers, delivered=delivered)

    def bury(self, dead: DeadRecord) -> None:
        """Queue an unreadable message's original bytes for its dead-letter topic, with where and why."""
        self._produce(
            self._settings.physical(topic_named(dead.topic).dlq), dead.value, dead.key, letter_headers(dead), _NOW
        )

    def forward(
        self, topic: str, value: bytes | None, key: bytes, headers: Sequence[tuple[str, bytes]], timestamp: int
    ) -> None:
        """Queue bytes as they are; `flush` tells whether they arrived.

        Args:
            topic: without prefix.
            timestamp: milliseconds since the epoch.
        """
        self._produce(self._settings.physical(topic), value, key, list(headers), timestamp)

    def deliver(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        headers: Sequence[tuple[str, str | bytes | None]],
        timestamp: int = _NOW,
        timeout: float = 30.0,
    ) -> tuple[int, int]:
        """Publish bytes as they are and wait; return the partition and offset that they were given (with `receipts`).

        Args:
            topic: without prefix.
            timestamp: milliseconds since the epoch.

        Raises:
            PublishFailed: the broker refused them.
            KafkaAway: not acknowledged in time; they may still be.
        """
        given: list[tuple[int, int]] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            self._delivered(error, message)
            if error is None:
                given.append((partition_number(message.partition()), partition_number(message.offset())))

        self._produce(self._settings.physical(topic), value, key, list(headers), timestamp, delivered)
        self.flush(timeout)
        return given[0]

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all that was published is acknowledged.

        Raises:
            PublishFailed: the broker refused something for good.
            KafkaAway: not acknowledged within `timeout` seconds (None: wait on); call again later.
        """
        waited = 0.0
        while self._producer.flush(1.0) and not self._failures:
            waited += 1.0
            if timeout is not None and waited >= timeout:
                raise KafkaAway(f"Kafka at {self._settings.kafka} has not acknowledged {len(self._producer)} events")
            if waited % 10 == 0:
                log.warning("waiting for Kafka", queued=len(self._producer), seconds=waited)
        if failed := self._failed():
            raise failed

    def _failed(self) -> PublishFailed | None:
        """Return what the broker has refused since this was asked."""
        failures, self._failures = self._failures, []
        told = "; ".join(failures[:3]) + (f" and {len(failures) - 3} more" if failures[3:] else "")
        return PublishFailed(told) if failures else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush(timeout=None if kind is None else 5.0)

    def _ready(self, event: Event, time: datetime, cause: Cause | None) -> _Ready:
        topic = topic_of(type(event))
        headers = cause.headers if cause else {}
        span = self._begin_span(topic.name, event.key, headers.get("traceparent")) if tracing.on else None
        return (
            self._settings.physical(topic.name),
            self._encode(event),
            event.key.encode(),
            headers_for(event, self._source, time, headers, traceparent(span) if span else ""),
            partial(self._delivered_and_traced, span) if span else None,
        )

    def _encode(self, event: Event) -> bytes:
        try:
            return self._codec.encode(event)
        except RegistryAway:  # only then something to try again with is made
            return Retrying(
                retry=retry_if_exception_type(RegistryAway),
                wait=wait_exponential_jitter(initial=0.2, max=5.0),
                stop=stop_when_event_set(self._stop),
                reraise=True,
            )(self._codec.encode, event)

    def _produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        headers: _MessageHeaders,
        timestamp: int = _NOW,
        delivered: _OnDelivery | None = None,
        partition: int = _CHOSEN,
    ) -> None:
        while True:
            try:
                self._producer.produce(
                    topic,
                    value,
                    key,
                    partition,
                    headers=headers,
                    timestamp=timestamp,
                    on_delivery=delivered or self._delivered,
                )
                self._queued += 1
                if self._queued % _POLL_EVERY == 0:
                    self._producer.poll(0)  # takes in what was acknowledged
                return
            except BufferError:  # the queue is full: let some go first
                self._producer.poll(0.5)
            except KafkaException as error:
                raise self._refused(topic, error) from error

    def _refused(self, topic: str, error: KafkaException) -> Exception:
        return PublishFailed(f"{topic}: {error}")

    def _begin_span(self, topic: str, key: str, parent: str | None) -> Span:
        attributes = {"messaging.system": "kafka", "messaging.destination.name": topic, "foretick.key": key}
        return tracing.span(f"publish {topic}", SpanKind.PRODUCER, parent, attributes)

    def _delivered_and_traced(self, span: Span, error: KafkaError | None, message: Message) -> None:
        span.end()
        self._delivered(error, message)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failures.append(f"{message.topic()} key {message.key()!r}: {error.str()}")
