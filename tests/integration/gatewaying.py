"""A gateway as a process of its own over real Kafka and MongoDB, and a reader of its sockets."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from contracts.events import BarClosed, Event, ForecastIssued
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from streaming.publisher import Publisher
from streaming.settings import StreamSettings
from tests.support.ports import HOST, free_port
from tests.support.waiting import PATIENCE, until

TOPIC = STOCK_DATA.name
SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
Seen = dict[int, list[int]]


class GatewayProcess:
    """`python -m gateway.main`, its log in a file."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.log = folder / "gateway.log"
        self._environment = os.environ | environment | {"FORETICK_GATEWAY_PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                (sys.executable, "-m", "gateway.main"), env=self._environment, stdout=log, stderr=log
            )
        until(lambda: self.get("/health/live"), f"the gateway answered; its log: {self.log}", 30)

    def get(self, path: str) -> httpx.Response | None:
        try:
            return httpx.get(self.url + path, timeout=10)
        except httpx.TransportError:
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()
            return None

    def live(self) -> None:
        """Wait until it reads Kafka."""
        until(
            lambda: "foretick_gateway_live 1.0" in httpx.get(self.url + "/metrics").text, "the gateway reads Kafka", 30
        )

    def metric(self, name: str) -> float:
        for line in httpx.get(self.url + "/metrics").text.splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0.0

    def end(self, number: int = signal.SIGTERM) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(PATIENCE * 30)

    @asynccontextmanager
    async def socket(self, path: str = "/live", **options: Any) -> AsyncIterator["Ear"]:
        async with connect(f"ws://{HOST}:{self.port}{path}", **options) as ws:
            yield Ear(ws)


class Ear:
    """Hears a socket out."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self.messages: list[dict[str, Any]] = []
        self._kinds: Counter[str] = Counter()

    async def say(self, **message: Any) -> None:
        await self.ws.send(json.dumps(message))

    async def hear(self, count: int, *kinds: str, seconds: float = 20) -> list[dict[str, Any]]:
        """Read until `count` messages of these kinds have come in all; `seconds` as of a calm machine."""
        async with asyncio.timeout(PATIENCE * seconds):
            while sum(self._kinds[kind] for kind in kinds) < count:
                self._take(await self.ws.recv())
        return self.of(*kinds)

    async def to_the_end(self) -> int:
        """Read until the gateway closes; return the code."""
        try:
            while True:
                self._take(await self.ws.recv())
        except ConnectionClosed:
            return self.ws.close_code or 0

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] in kinds]

    def seen(self) -> Seen:
        found: Seen = defaultdict(list)
        for message in self.of("bar", "forecast"):
            found[message["partition"]].append(message["offset"])
        return dict(found)

    def _take(self, frame: str | bytes) -> None:
        found = json.loads(frame)
        messages = found if isinstance(found, list) else [found]
        self.messages += messages
        self._kinds.update(message["type"] for message in messages)


def bars(count: int, first: int = 0) -> list[BarClosed]:
    """Return bars of five symbols, one session after the other."""
    base = sample(BarClosed)
    assert isinstance(base, BarClosed)
    made = []
    for number in range(first, first + count):
        closed_at = base.closed_at + timedelta(days=number // len(SYMBOLS))
        opened_at = closed_at - timedelta(hours=6)
        symbol = SYMBOLS[number % len(SYMBOLS)]
        made.append(replace(base, symbol=symbol, opened_at=opened_at, closed_at=closed_at, recorded_at=closed_at))
    return made


def forecasts(count: int) -> list[ForecastIssued]:
    base = sample(ForecastIssued)
    assert isinstance(base, ForecastIssued)
    return [
        replace(
            base,
            forecast_id=f"{base.forecast_id[:-4]}{number:04}",
            symbol=SYMBOLS[number % len(SYMBOLS)],
            model=replace(base.model, role=("CHAMPION", "SHADOW")[number % 2]),
        )
        for number in range(count)
    ]


def publish(settings: StreamSettings, events: Iterable[Event]) -> None:
    with Publisher(settings, "/tests") as publisher:
        for event in events:
            publisher.publish(event, time=datetime.now(UTC))


def last_seen(seen: Seen, partitions: Sequence[int] = range(6)) -> dict[str, int]:
    """Return the positions a client resumes from."""
    return {str(partition): seen[partition][-1] if seen.get(partition) else -1 for partition in partitions}


def run(work: Any) -> Any:
    return asyncio.run(asyncio.wait_for(work, PATIENCE * 60))
