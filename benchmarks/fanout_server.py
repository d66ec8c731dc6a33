"""The servers that `bench_fanout.py` measures, each as a process: `fanout_server.py hub|tutorial PORT TIMES`.

`hub` is the gateway's own app, hub, sockets and server, fed with bars that are encoded as the relay encodes them, and
held back as the relay is; only Kafka is left out. `tutorial` is the loop of FastAPI's tutorial with the same server and
options. Lines on standard input: `feed RATE` begins to publish, `stop` ends that; `commands` is answered by how often
MongoDB was asked.
"""

import asyncio
import json
import mmap
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import structlog
import uvloop
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pymongo import monitoring

from contracts.events import BarClosed
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from gateway.app import create_app
from gateway.main import server_of
from gateway.metrics import GatewayMetrics
from gateway.predict.predictor import Predictor
from gateway.reads.leaderboards import Leaderboards
from gateway.reads.queries import Queries
from gateway.routes.dependencies import Parts
from gateway.settings import GatewaySettings
from gateway.status.health import HealthCheck
from gateway.status.pipeline import PipelineStatus
from gateway.stream.backlog import LogReaders
from gateway.stream.hub import LIVE, Hub
from gateway.stream.messages import message
from gateway.stream.relay import IN_FLIGHT
from gateway.stream.sockets import Sockets
from streaming.serving import listen

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
MOST = 1_000_000  # offsets that have a time

Publish = Callable[[list[tuple[int, BarClosed]]], Any]


class Commands(monitoring.CommandListener):
    """Count what MongoDB is asked."""

    def __init__(self) -> None:
        self.count = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Count a command."""
        self.count += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Leave it at that."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Leave it at that."""


class Feeder:
    """Publish bars at a rate, whether or not the publisher keeps up; note when each was due."""

    def __init__(self, times: memoryview, publish: Publish) -> None:
        self._times = times
        self._publish = publish
        self._offset = 0
        self._task: asyncio.Task[None] | None = None
        self.commands = Commands()
        monitoring.register(self.commands)
        base = sample(BarClosed)
        assert isinstance(base, BarClosed)
        self._bars = [replace(base, symbol=symbol) for symbol in SYMBOLS]

    def obey(self) -> None:
        """Read a line of standard input and do what it says."""
        word, *rest = sys.stdin.readline().split() or ["stop"]
        if word == "commands":
            print(self.commands.count, flush=True)
            return
        if self._task:
            self._task.cancel()
            self._task = None
        if word == "feed":
            self._task = asyncio.create_task(self._feed(float(rest[0])))

    async def _feed(self, rate: float) -> None:
        begun, done = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - begun) * rate) + 1
            batch = []
            for number in range(done, min(due, done + 500)):
                self._times[self._offset] = begun + number / rate
                batch.append((self._offset, self._bars[self._offset % len(self._bars)]))
                self._offset += 1
            done += len(batch)
            await self._publish(batch)
            await asyncio.sleep(max(0.0, begun + done / rate - time.monotonic()))


def hub_app(settings: GatewaySettings) -> tuple[FastAPI, Publish]:
    """Return the gateway without Kafka and MongoDB."""
    hub = Hub(heartbeat_every=settings.heartbeat_seconds, round_messages=min(200, settings.client_queue // 4))
    hub.open(STOCK_DATA.name, "bench", {0: 0})
    hub.source = LIVE
    waiting, room = 0, asyncio.Event()

    def taken(count: int) -> None:
        nonlocal waiting
        waiting -= count
        room.set()

    hub.on_taken = taken

    async def publish(batch: list[tuple[int, BarClosed]]) -> None:
        nonlocal waiting
        while waiting >= IN_FLIGHT:
            room.clear()
            await room.wait()
        waiting += len(batch)
        now = time.monotonic()
        hub.publish(
            message(bar, topic=STOCK_DATA.name, partition=0, offset=offset, epoch="bench", read_at=now)
            for offset, bar in batch
        )

    @asynccontextmanager
    async def opening(settings: GatewaySettings, metrics: GatewayMetrics) -> AsyncIterator[Parts]:
        metrics.watch(hub)
        queries = Queries(settings)
        beating = asyncio.create_task(hub.beat())
        yield Parts(
            settings=settings,
            metrics=metrics,
            hub=hub,
            queries=queries,
            predictor=Predictor(settings, queries, metrics),
            sockets=Sockets(settings, hub, LogReaders(settings, hub), metrics),
            health=cast(HealthCheck, None),
            pipeline=cast(PipelineStatus, None),
            leaderboards=Leaderboards(queries),
        )
        beating.cancel()

    return create_app(settings, opening), publish


def tutorial_app() -> tuple[FastAPI, Publish]:
    """Return what most people write: send to each client in turn."""
    app = FastAPI()
    clients: list[WebSocket] = []

    @app.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        clients.append(websocket)
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            clients.remove(websocket)

    async def publish(batch: list[tuple[int, BarClosed]]) -> None:
        for offset, bar in batch:
            data = json.loads(json.dumps(bar.to_record(), default=str))
            envelope = {"type": "bar", "topic": STOCK_DATA.name, "partition": 0, "offset": offset, "data": data}
            for websocket in list(clients):
                await websocket.send_json(envelope)

    return app, publish


async def serve(kind: str, port: int, times: memoryview) -> None:
    """Serve until we are ended."""
    settings = GatewaySettings(
        gateway_port=port,
        client_limit=100_000,
        client_limit_per_address=100_000,
        kafka="127.0.0.1:9",
        mongodb="mongodb://127.0.0.1:9",  # type: ignore[arg-type]  # nothing here asks them
    )
    app, publish = hub_app(settings) if kind == "hub" else tutorial_app()
    feeder = Feeder(times, publish)
    asyncio.get_running_loop().add_reader(sys.stdin, feeder.obey)
    await server_of(settings, app).serve(sockets=[listen("127.0.0.1", port)])


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with open(sys.argv[3], "r+b") as file, mmap.mmap(file.fileno(), MOST * 8) as shared:
        uvloop.run(serve(sys.argv[1], int(sys.argv[2]), memoryview(shared).cast("d")))
