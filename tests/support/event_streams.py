"""Messages, clients and logs made up for the gateway's tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from gateway.stream.clients import Client
from gateway.stream.messages import Message, Subscription
from streaming.damage import LogUnsound

TOPIC = "stock-data"
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine, with a deadline."""

    async def bounded() -> T:
        async with asyncio.timeout(60):
            return await work

    return asyncio.run(bounded())


def made(offset: int, symbol: str = "AAPL", partition: int = 0, topic: str = TOPIC, role: str = "") -> Message:
    body = json.dumps({"type": "bar", "topic": topic, "partition": partition, "offset": offset, "symbol": symbol})
    return Message(topic, partition, offset, symbol, "P1D", role, (symbol, "P1D"), body, 0.0)


def everything() -> Subscription:
    return Subscription(TOPIC)


def read(frame: str) -> list[dict[str, Any]]:
    """Return a frame's messages."""
    found = json.loads(frame)
    return found if isinstance(found, list) else [found]


async def drain(client: Client) -> list[dict[str, Any]]:
    """Take what waits for a client."""
    taken: list[dict[str, Any]] = []
    while client.waiting:
        taken += read((await client.take()).text)
    return taken


def offsets(messages: Sequence[Mapping[str, Any]], partition: int = 0) -> list[int]:
    return [each["offset"] for each in messages if each["type"] == "bar" and each["partition"] == partition]


def gaps(messages: Sequence[Mapping[str, Any]]) -> list[tuple[int, int, int, str]]:
    return [(each["partition"], each["from"], each["to"], each["reason"]) for each in messages if each["type"] == "gap"]


class MemoryLog:
    """A log that reads in small chunks, giving others a turn in between."""

    def __init__(self, messages: Mapping[int, Sequence[Message]], lows: Mapping[int, int] | None = None) -> None:
        self.messages = {partition: list(own) for partition, own in messages.items()}
        self.lows = dict(lows or {})
        self.highs = {partition: own[-1].offset + 1 if own else 0 for partition, own in messages.items()}
        self.reads = 0
        self.chunk = 2

    async def marks(self, topic: str) -> dict[int, tuple[int, int]]:
        await asyncio.sleep(0)
        return {partition: (self.lows.get(partition, 0), high) for partition, high in self.highs.items()}

    async def read(
        self, topic: str, start: Mapping[int, int], end: Mapping[int, int]
    ) -> AsyncIterator[Sequence[Message]]:
        self.reads += 1
        for partition, first in start.items():
            if first < self.lows.get(partition, 0):
                raise LogUnsound(f"{first} is gone")
            wanted = [each for each in self.messages[partition] if first <= each.offset < end[partition]]
            for begin in range(0, len(wanted), self.chunk):
                await asyncio.sleep(0)
                yield wanted[begin : begin + self.chunk]
