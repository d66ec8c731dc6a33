"""Read older events from Kafka for clients that come back, a few readers at a time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import islice

from gateway.stream.hub import Hub
from gateway.stream.messages import Message
from gateway.stream.relay import to_message
from gateway.threads import in_thread
from streaming.damage import Damaged, LogUnsound
from streaming.reader import read_range, watermarks
from streaming.records import Record
from streaming.settings import StreamSettings

CHUNK_MESSAGES = 500
MOST_READERS = 4


class LogReaders:
    """The log as `resume` wants it, over Kafka."""

    def __init__(self, settings: StreamSettings, hub: Hub) -> None:
        self._settings = settings
        self._hub = hub
        self._turn = asyncio.Semaphore(MOST_READERS)
        self._damaged: dict[str, str] = {}  # what was met in a topic

    async def marks(self, topic: str) -> dict[int, tuple[int, int]]:
        """Give each partition's first offset and next offset; raises KafkaAway."""
        return await in_thread(lambda: watermarks(self._settings, topic, 5.0))

    async def read(
        self, topic: str, start: Mapping[int, int], end: Mapping[int, int]
    ) -> AsyncIterator[Sequence[Message]]:
        """Give the messages from `start` to `end` (exclusive), in order by partition; raises ServerAway, LogUnsound."""
        if topic in self._damaged:  # at some damage a reader leaves a thread behind that runs in circles: one is enough
            raise LogUnsound(self._damaged[topic])
        epoch = self._hub.epochs[topic]
        async with self._turn:
            reading = _Reading(read_range(self._settings, topic, start, end, on_poison="skip", timeout=10.0))
            try:
                while chunk := await in_thread(reading.chunk):
                    yield [to_message(record, epoch) for record in chunk]
            except Damaged as error:
                self._damaged[topic] = str(error)
                raise
            finally:
                threading.Thread(target=reading.close, daemon=True).start()  # waits for a chunk that is being read


class _Reading:
    """A generator that threads may take from and close, one at a time: a cancelled client leaves at any moment."""

    def __init__(self, records: Iterator[Record]) -> None:
        self._records = records
        self._lock = threading.Lock()

    def chunk(self) -> list[Record]:
        with self._lock:
            return list(islice(self._records, CHUNK_MESSAGES))

    def close(self) -> None:
        with self._lock:
            self._records.close()  # type: ignore[attr-defined]
