"""The one reader of Kafka in this process: a thread that follows the topics and hands events to the event loop."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from contracts.events import BarClosed, ForecastIssued
from contracts.topics import Topic
from gateway.metrics import GatewayMetrics
from gateway.stream.hub import AWAY, LIVE, Hub
from gateway.stream.messages import Message, message
from gateway.threads import in_thread
from streaming.damage import Damaged, LogUnsound
from streaming.errors import ServerAway
from streaming.reader import Tail, read_range, topic_epoch, watermarks
from streaming.records import Record
from streaming.settings import StreamSettings
from streaming.tracing import tracing

log = structlog.get_logger()

_PASSING = (ServerAway, LogUnsound, TimeoutError)  # what to wait for, and what an operator mends

IN_FLIGHT = (
    2000  # messages handed to the loop that have not gone out: beyond that the reader waits, Kafka is the buffer
)


def to_message(record: Record, epoch: str) -> Message:
    """Encode a record of a topic that is relayed."""
    event = record.event
    assert isinstance(event, BarClosed | ForecastIssued)
    return message(
        event,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        epoch=epoch,
        read_at=time.monotonic(),
        published_at=record.timestamp.timestamp(),
        traceparent=record.headers.get("traceparent", "") if tracing.on else "",
    )


class Relay:
    """Follow topics from a little before their end, for good.

    Kafka or the registry away only delays: the thread begins again where it was. A topic made again is noticed by
    `watch` and begun from its first offset. A damaged one is read no further until its broker has been away.

    Attributes:
        failed: the bug that has ended it, and the process with it.
    """

    def __init__(
        self,
        settings: StreamSettings,
        topics: Sequence[Topic],
        hub: Hub,
        metrics: GatewayMetrics,
        *,
        preload: int = 1000,
    ) -> None:
        self.reason = "Kafka was not read yet"
        self.failed = ""
        self.ends: dict[tuple[str, int], int] = {}  # as last seen by `watch`
        self._settings = settings
        self._topics = topics
        self._hub = hub
        self._metrics = metrics
        self._preload = preload
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._stop = threading.Event()
        self._again = threading.Event()
        self._damaged = False
        self._in_flight = 0
        self._room = threading.Condition()
        hub.on_taken = self._taken
        self._epochs: dict[str, str] = {}
        self._positions: dict[tuple[str, int], int] = {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin reading; everything read is handed to this loop."""
        self._loop = loop
        self._thread.start()

    def stop(self, timeout: float = 3.0) -> None:
        """End the thread."""
        self._stop.set()
        with self._room:
            self._room.notify()
        self._thread.join(timeout)

    async def watch(self, every: float = 5.0) -> None:
        """Look at the topics from time to time, until cancelled: is Kafka there, is a topic another one now?"""
        while True:
            await asyncio.sleep(every)
            try:
                epochs, ends = await in_thread(self._look)
            except _PASSING as error:
                self._away(f"{type(error).__name__}: {error}")
                if self._damaged:
                    self._again.set()  # who mends the log stops its broker
                continue
            except Exception as error:
                self._fail(error)
                return
            self.ends = ends
            if self._epochs and epochs != self._epochs:
                log.warning("a topic was made again", epochs=epochs, before=self._epochs)
                self._again.set()
            elif self._epochs and self._hub.source == AWAY and not (self._again.is_set() or self._damaged):
                self._hub.source, self.reason = LIVE, ""
                log.info("Kafka is back")

    def _look(self) -> tuple[dict[str, str], dict[tuple[str, int], int]]:
        epochs, ends = {}, {}
        for topic in self._topics:
            epochs[topic.name] = topic_epoch(self._settings, topic, 4.0)
            for partition, (_, high) in watermarks(self._settings, topic, 4.0).items():
                ends[topic.name, partition] = high
        return epochs, ends

    def _run(self) -> None:
        wait = 0.5
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                self._follow()
            except Damaged as error:
                log.exception("the log is read no further")
                self._away(str(error))
                self._damaged = True
                while not self._stop.is_set() and not self._again.wait(1.0):
                    pass
                self._damaged = False
            except _PASSING as error:
                reason = f"{type(error).__name__}: {error}"
                log.warning("the reader begins again", error=reason)
                self._away(reason)
            except Exception as error:
                self._fail(error)
                return
            wait = 0.5 if time.monotonic() - begun > 30 else min(wait * 2, 5.0)
            if not self._again.is_set():
                self._stop.wait(wait)

    def _follow(self) -> None:
        self._again.clear()
        for topic in self._topics:
            self._open(topic)
        tail = Tail(self._settings, self._topics, self._positions)
        log.info("following", positions={f"{topic}[{p}]": at for (topic, p), at in self._positions.items()})
        self._call(self._live)
        try:
            while not self._stop.is_set() and not self._again.is_set():
                records = tail.poll(0.25)
                if records:
                    self._hand(records)
        finally:
            tail.close()

    def _open(self, topic: Topic) -> None:
        """Settle where to go on in a topic, and fill memory at the first time."""
        epoch = topic_epoch(self._settings, topic, 5.0)
        marks = watermarks(self._settings, topic, 5.0)
        first = self._epochs.get(topic.name) != epoch
        past: list[Message] = []
        floors: dict[int, int] | None = None
        if first and topic.name not in self._epochs:
            nexts = {partition: high for partition, (_, high) in marks.items()}
            floors = {partition: max(low, high - self._preload) for partition, (low, high) in marks.items()}
            past = [to_message(r, epoch) for r in read_range(self._settings, topic, floors, nexts, on_poison="skip")]
        else:
            nexts = {
                partition: low if first else min(max(self._positions.get((topic.name, partition), high), low), high)
                for partition, (low, high) in marks.items()
            }
        self._epochs[topic.name] = epoch
        self._positions.update({(topic.name, partition): offset for partition, offset in nexts.items()})
        self._call(lambda: self._hub.open(topic.name, epoch, nexts, floors=floors, past=past))

    def _hand(self, records: Sequence[Record]) -> None:
        messages = []
        for record in records:
            messages.append(to_message(record, self._epochs[record.topic]))
            self._positions[record.topic, record.partition] = record.offset + 1
            self._metrics.event_age.observe((datetime.now(UTC) - record.timestamp).total_seconds())
        self._metrics.relayed.inc(len(messages))
        with self._room:
            self._room.wait_for(lambda: self._in_flight < IN_FLIGHT or self._stop.is_set())
            self._in_flight += len(messages)
        self._call(lambda: self._hub.publish(messages))

    def _taken(self, count: int) -> None:
        with self._room:
            self._in_flight -= count
            self._room.notify()

    def _fail(self, error: Exception) -> None:
        """End the process by a bug: one that is tried again for ever is seen by nobody."""
        if self._stop.is_set():  # the event loop goes away beneath a thread that is being stopped
            return
        self.failed = f"{type(error).__name__}: {error}"
        log.error("stopping: the reader of Kafka failed", error=self.failed, exc_info=error)
        self._away(self.failed)
        os.kill(os.getpid(), signal.SIGTERM)

    def _live(self) -> None:
        self._hub.source, self.reason = LIVE, ""

    def _away(self, reason: str) -> None:
        self.reason = reason
        if self._hub.source != AWAY:
            log.warning("Kafka cannot be read", reason=reason)
            self._hub.source = AWAY

    def _call(self, function: Callable[[], None]) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)
