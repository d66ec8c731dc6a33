"""Sockets in any order of events: the real hub, queues and resume between a log, a reader and clients that come and go.

Hypothesis chooses the steps: the log grows, loses its oldest and goes away; the reader lags, begins again a little
earlier, or skips what was lost; clients connect, read slowly, vanish and come back from where they stopped.  What they
heard is held against the log: everything once, in order, or told to be missing.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from gateway.stream.clients import Client
from gateway.stream.hub import Hub
from gateway.stream.messages import Message, Subscription
from gateway.stream.resume import Resume, resume
from streaming.errors import KafkaAway
from tests.support.event_streams import TOPIC, MemoryLog, made, read
from tests.support.histories import Entry, Heard, History, Joined, Missed, Place, anomalies

PARTITIONS = (0, 1)
SYMBOLS = ("AAPL", "IBM", "MSFT")
CLIENTS = {  # who wants what, and how long their queues are
    "all": (Subscription(TOPIC), 50),
    "narrow": (Subscription(TOPIC), 4),
    "one": (Subscription(TOPIC, frozenset({"IBM"})), 3),
}


class FarLog(MemoryLog):
    """A log beyond memory that may be away."""

    away = False

    async def marks(self, topic: str) -> dict[int, tuple[int, int]]:
        self._reach()
        return await super().marks(topic)

    async def read(
        self, topic: str, start: Mapping[int, int], end: Mapping[int, int]
    ) -> AsyncIterator[Sequence[Message]]:
        async for each in super().read(topic, start, end):
            self._reach()
            yield each

    def _reach(self) -> None:
        if self.away:
            raise KafkaAway("the log is away")


class Listener:
    """Whoever holds a socket, and remembers how far it came when the socket is gone."""

    def __init__(self, name: str, history: History) -> None:
        self.name = name
        self.subscription, self.limit = CLIENTS[name]
        self.client: Client | None = None
        self._hub = Hub()
        self.nexts: dict[int, int] = {}
        self._history = history
        self._feeder: asyncio.Task[None] | None = None

    def connect(self, hub: Hub, log: FarLog) -> None:
        self.client = Client(self.subscription, limit=self.limit)
        self._hub = hub
        hub.admit(self.client)
        hub.greet(self.client)
        if not self.nexts:
            self.nexts = hub.next_offsets(TOPIC)
            positions = {(TOPIC, partition): offset for partition, offset in self.nexts.items()}
            only = tuple(self.subscription.symbols) or ("",)
            self._history.operations.append(Joined(self.name, 0.0, positions, only))
        request = Resume({partition: offset - 1 for partition, offset in self.nexts.items()}, hub.epochs[TOPIC])
        self._feeder = asyncio.get_running_loop().create_task(resume(self.client, hub, log, request, retry=0.001))

    async def take(self, frames: int) -> None:
        for _ in range(frames):
            if self.client is not None and self.client.open and self.client.waiting:
                for each in read((await self.client.take()).text):
                    self._note(each)

    async def vanish(self) -> None:
        if self.client is not None and self._feeder is not None:
            self._feeder.cancel()
            await asyncio.gather(self._feeder, return_exceptions=True)
            if not self._feeder.cancelled():
                self._feeder.result()
            self._hub.leave(self.client)
            self.client.close(1006, "vanished")
            self.client = None

    def _note(self, told: Mapping[str, object]) -> None:
        place: Place
        match told:
            case {"type": "bar", "partition": int(partition), "offset": int(offset), "symbol": str(symbol)}:
                place = TOPIC, partition
                self._history.operations.append(Heard(self.name, 0.0, place, offset, _entry(symbol, place, offset)))
                self.nexts[partition] = max(self.nexts[partition], offset + 1)
            case {"type": "gap", "partition": int(partition), "from": int(first), "to": int(last)}:
                self._history.operations.append(Missed(self.name, 0.0, (TOPIC, partition), first, last))
                self.nexts[partition] = max(self.nexts[partition], last + 1)


class Schedules(RuleBasedStateMachine):
    @initialize(held=st.integers(0, 12), memory=st.integers(1, 12))
    def begin(self, held: int, memory: int) -> None:
        self.runner = asyncio.Runner()
        self.history = History()
        self.log: dict[int, list[Message]] = {partition: [] for partition in PARTITIONS}
        self.far = FarLog(self.log)
        self.memory = memory
        self.listeners = {name: Listener(name, self.history) for name in CLIENTS}
        for partition in PARTITIONS:
            self._grow(partition, held, holes=False)
        self.relayed = dict.fromkeys(PARTITIONS, held)  # how many messages the reader has handed on
        self._run(self._boot())

    # The log

    @rule(partition=st.sampled_from(PARTITIONS), count=st.integers(1, 15), holes=st.booleans())
    def grow(self, partition: int, count: int, holes: bool) -> None:
        self._grow(partition, count, holes)

    def _grow(self, partition: int, count: int, holes: bool) -> None:
        for _ in range(count):
            offset = self.far.highs[partition] + (holes and len(self.log[partition]) % 3 == 0)
            message = made(offset, SYMBOLS[offset % 3], partition)
            self.log[partition].append(message)
            self.far.messages[partition].append(message)
            self.far.highs[partition] = offset + 1

    @rule(partition=st.sampled_from(PARTITIONS), share=st.floats(0, 1))
    def forget_the_oldest(self, partition: int, share: float) -> None:
        relayed = self.log[partition][: self.relayed[partition]]
        if relayed:
            low = relayed[int(share * (len(relayed) - 1))].offset
            self.far.lows[partition] = max(self.far.lows.get(partition, 0), low)

    @rule(away=st.booleans())
    def come_or_go(self, away: bool) -> None:
        self.far.away = away

    # The reader

    @rule(partition=st.sampled_from(PARTITIONS), count=st.integers(1, 15), back=st.sampled_from([0, 0, 0, 3]))
    def relay(self, partition: int, count: int, back: int) -> None:
        """Hand on the next messages; a reader that began again is a little behind."""
        start = self.relayed[partition]
        self.relayed[partition] = min(start + count, len(self.log[partition]))
        news = self.log[partition][max(0, start - back) : self.relayed[partition]]
        self._run(self._publish(news))

    async def _publish(self, news: Sequence[Message]) -> None:
        self.hub.publish(news)

    @rule(partition=st.sampled_from(PARTITIONS))
    def lose(self, partition: int) -> None:
        """Let retention overtake the reader: it goes on behind what is lost."""
        self.relayed[partition] = len(self.log[partition])
        self._run(self._reopen())

    @rule(back=st.integers(0, 9))
    def restart(self, back: int) -> None:
        """Put another gateway in its place, whose reader may not have come as far."""
        self.relayed = {partition: max(0, count - back) for partition, count in self.relayed.items()}
        self._run(self._boot())

    async def _boot(self) -> None:
        for listener in self.listeners.values():
            await listener.vanish()
        self.hub = Hub(ring_messages=self.memory)
        await self._reopen()

    async def _reopen(self) -> None:
        nexts = {p: self.log[p][count - 1].offset + 1 if count else 0 for p, count in self.relayed.items()}
        for partition, offset in self.hub.next_offsets(TOPIC).items():
            nexts[partition] = max(nexts[partition], offset)
        self.hub.open(TOPIC, "epoch", nexts)

    # Clients

    @rule(name=st.sampled_from([*CLIENTS]))
    def connect(self, name: str) -> None:
        self._run(self._connect(self.listeners[name]))

    async def _connect(self, listener: Listener) -> None:
        await listener.vanish()
        listener.connect(self.hub, self.far)

    @rule(name=st.sampled_from([*CLIENTS]), frames=st.integers(1, 4))
    def take(self, name: str, frames: int) -> None:
        self._run(self.listeners[name].take(frames))

    @rule(name=st.sampled_from([*CLIENTS]))
    def vanish(self, name: str) -> None:
        self._run(self.listeners[name].vanish())

    @rule(turns=st.integers(1, 30))
    def pass_turns(self, turns: int) -> None:
        self._run(asyncio.sleep(0), turns)

    @rule(count=st.integers(0, 5))
    def calm(self, count: int) -> None:
        """Let some messages come all the way to whoever listens."""
        for partition in PARTITIONS:
            self._grow(partition, count, holes=False)
            self.relay(partition, len(self.log[partition]), 0)
        for name in CLIENTS:
            if self.listeners[name].client is None:
                self.connect(name)
        self.pass_turns(20)
        for name in CLIENTS:
            self.take(name, 10)

    def _run(self, work: object, turns: int = 1) -> None:
        async def some_turns() -> None:
            await work  # type: ignore[misc]
            for _ in range(turns):
                await asyncio.sleep(0)

        self.runner.run(some_turns())

    # What holds in the end

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            with self.runner:
                self.runner.run(self._settle())
            log = {
                (TOPIC, partition): {each.offset: _entry(each.symbol, (TOPIC, partition), each.offset) for each in own}
                for partition, own in self.log.items()
            }
            assert anomalies(self.history, log, complete=True) == []

    async def _settle(self) -> None:
        """Let everything arrive: a calm log, a reader at its end, clients that read."""
        self.far.away = False
        for partition, own in self.log.items():
            self.hub.publish(own[self.relayed[partition] :])
        for listener in self.listeners.values():
            if listener.client is None or not listener.client.open:
                await self._connect(listener)
        async with asyncio.timeout(20):
            while not self.hub.idle or any(self._behind(each) for each in self.listeners.values()):
                await asyncio.sleep(0.0005)
                for listener in self.listeners.values():
                    if listener.client is not None and not listener.client.open:
                        await self._connect(listener)
                    await listener.take(10)
        for listener in self.listeners.values():
            await listener.vanish()

    def _behind(self, listener: Listener) -> bool:
        client = listener.client
        return client is None or client.waiting or client not in self.hub.clients.get(client.subscription, ())


def _entry(symbol: str, place: Place, offset: int) -> Entry:
    return Entry(f"{symbol}|{place[1]}@{offset}", 0, "")


TestSchedules = Schedules.TestCase
TestSchedules.settings = settings(
    max_examples=int(os.environ.get("FORETICK_INTERLEAVINGS", "100")), stateful_step_count=40, deadline=None
)
