"""How serving and scoring follow the log: a loop for what comes, and what other topics hold by now."""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Protocol

import structlog

from contracts.events import Event
from contracts.topics import Topic
from streaming.admin import NotReady, await_kafka
from streaming.loop import Loop
from streaming.reader import LogAway, read_range, watermarks
from streaming.records import Batch, DeadRecord, Partition, Record
from streaming.registry import RegistryAway
from streaming.settings import StreamSettings
from streaming.sink import Away

log = structlog.get_logger()


class TopicReader(Protocol):
    """A topic that can be read up to its present end."""

    def news(self) -> Iterator[Record]:
        """Give what has come since."""
        ...

    def positions(self) -> dict[Partition, int]:
        """Return the next offset of each partition read so far."""
        ...


class Follower(Loop):
    """A loop that passes unreadable messages over: the projections dead-letter them, once."""

    def _bury(self, batch: Batch) -> None:
        log_unreadable(batch.dead)


class EventOutput(Protocol):
    """Where a service publishes; streaming's Publisher is one."""

    def publish(self, event: Event, *, time: datetime, cause: Record | None = None) -> None:
        """Queue an event."""
        ...

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all that is queued was acknowledged."""
        ...


class KafkaTopicReader:
    """A topic read up to its present end, each time from where the last reading ended."""

    def __init__(self, settings: StreamSettings, topic: Topic) -> None:
        self._settings = settings
        self._topic = topic
        self._next: dict[int, int] = {}

    def news(self) -> Iterator[Record]:
        """Give what has come since; after a failure the same events are given again.

        Raises:
            Away: the broker or the registry does not answer.
        """
        try:
            marks = watermarks(self._settings, self._topic)
            start = {partition: max(low, self._next.get(partition, 0)) for partition, (low, _) in marks.items()}
            end = {partition: high for partition, (_, high) in marks.items()}
            yield from read_range(
                self._settings, self._topic, start, end, on_poison="skip", on_dead=lambda dead: log_unreadable([dead])
            )
        except (LogAway, RegistryAway) as error:
            raise Away(str(error)) from error
        self._next = end

    def positions(self) -> dict[Partition, int]:
        """Return the next offset of each partition read so far."""
        return {(self._topic.name, partition): offset for partition, offset in self._next.items()}


def end_offsets(settings: StreamSettings, topic: Topic) -> dict[Partition, int]:
    """Return where each partition of a topic ends now: the next offset.

    Raises:
        Away: the broker does not answer.
    """
    try:
        return {(topic.name, partition): end for partition, (_, end) in watermarks(settings, topic).items()}
    except LogAway as error:
        raise Away(str(error)) from error


def await_topics(
    settings: StreamSettings, topics: Iterable[Topic], stop: threading.Event, tell: Callable[[str], None]
) -> None:
    """Wait for the broker and the topics, telling why: a consumer that subscribes too early looks again much later."""
    told = ""
    while not stop.is_set():
        try:
            await_kafka(settings, timeout=5)
            for topic in topics:
                watermarks(settings, topic)
        except (NotReady, LogAway) as error:
            if str(error) != told:
                log.info("waiting for the topics", reason=str(error))
            told = str(error)
            tell(told)
            stop.wait(0.5)
        else:
            tell("")
            return


class Threads:
    """Threads of one service: when one ends by an error, all end, and loudly."""

    def __init__(self, stop: threading.Event) -> None:
        self.failed: list[str] = []
        self._stop = stop
        self._threads: list[threading.Thread] = []

    def start(self, name: str, work: Callable[[threading.Event], None]) -> None:
        """Run work in a thread until `stop` is set."""
        thread = threading.Thread(target=self._guard, args=(name, work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def join(self, seconds: float) -> int:
        """Wait until `stop` is set and all have ended; return the process's exit code."""
        self._stop.wait()
        for thread in self._threads:
            thread.join(seconds)
        late = [thread.name for thread in self._threads if thread.is_alive()]
        if late:
            log.error("did not end in time", threads=late)
        return 1 if self.failed or late else 0

    def _guard(self, name: str, work: Callable[[threading.Event], None]) -> None:
        try:
            work(self._stop)
        except Exception as error:
            self.failed.append(f"{name}: {type(error).__name__}: {error}")
            log.exception("stopping: a part failed", part=name)
            self._stop.set()


def log_unreadable(dead: list[DeadRecord]) -> None:
    """Tell of unreadable messages."""
    for message in dead:
        log.warning(
            "unreadable message passed over",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            error=message.error,
        )
