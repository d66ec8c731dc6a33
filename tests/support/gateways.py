"""Real gateways over HTTP on a free port, with made-up parts where a test wants them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from contracts.actions import Split
from contracts.measures import LEVELS
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
from gateway.stream.hub import Hub
from gateway.stream.resume import EventLog
from gateway.stream.sockets import Sockets
from streaming.serving import listen
from tests.support.event_streams import MemoryLog

Document = dict[str, Any]


class MemoryQueries:
    """Read models held in memory; `failure` is raised instead of an answer."""

    def __init__(self) -> None:
        self.rows: list[Document] = []
        self.split: tuple[Split, ...] = ()
        self.failure: Exception | None = None
        self.reached = {"stock-data": {"0": 3}}
        self.asked = 0  # for its position

    async def bars(self, symbol: str, interval: str, *, limit: int, **_: Any) -> list[Document]:
        self._answer()
        own = [row for row in self.rows if row["symbol"] == symbol and row["interval"] == interval]
        return sorted(own, key=lambda row: cast(datetime, row["closed_at"]), reverse=True)[:limit]

    async def splits(self, symbol: str, as_of: datetime | None = None) -> tuple[Split, ...]:
        return self.split

    async def knows(self, symbol: str) -> bool:
        self._answer()
        return any(row["symbol"] == symbol for row in self.rows)

    async def forecasts(self, symbol: str, interval: str, **_: Any) -> list[Document]:
        self._answer()
        return []

    async def symbols(self) -> list[Document]:
        self._answer()
        return []

    async def promotions(self) -> list[Document]:
        self._answer()
        return []

    async def leaderboard_state(self) -> tuple[object, dict[str, dict[str, int]]]:
        self._answer()
        return "made of", self.reached

    async def leaderboard_periods(self, interval: str) -> set[str]:
        return set()

    async def leaderboard_changes(self, since: object, until: object) -> set[tuple[str, str]]:
        return set()

    async def position(self, *models: str) -> dict[str, dict[str, int]]:
        self._answer()
        self.asked += 1
        return self.reached

    def _answer(self) -> None:
        if self.failure:
            raise self.failure


@dataclass(slots=True)
class Gateway:
    """A gateway that runs."""

    port: int
    parts: Parts
    queries: MemoryQueries
    http: httpx.AsyncClient
    app: FastAPI
    stop: Callable[[], None]

    def socket(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"


@asynccontextmanager
async def gateway(
    hub: Hub | None = None, log: EventLog | None = None, *, listening: bool = False, **given: Any
) -> AsyncIterator[Gateway]:
    """Run a gateway without Kafka and MongoDB; `listening`: on a port, else HTTP without a network."""
    settings = GatewaySettings(**given)
    queries = MemoryQueries()
    started: asyncio.Future[Parts] = asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def opening(settings: GatewaySettings, metrics: GatewayMetrics) -> AsyncIterator[Parts]:
        own = hub or Hub(heartbeat_every=settings.heartbeat_seconds)
        metrics.watch(own)
        reads = cast(Queries, queries)
        predictor = Predictor(settings, reads, metrics)
        beating = asyncio.create_task(own.beat())
        parts = Parts(
            settings=settings,
            metrics=metrics,
            hub=own,
            queries=reads,
            predictor=predictor,
            sockets=Sockets(settings, own, log or MemoryLog({}), metrics),
            health=cast(HealthCheck, None),
            pipeline=cast(PipelineStatus, None),
            leaderboards=Leaderboards(reads),
        )
        started.set_result(parts)
        yield parts
        beating.cancel()
        await predictor.close()

    app = create_app(settings, opening)
    if not listening:
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
                yield Gateway(0, await started, queries, http, app, lambda: None)
        return
    running = server_of(settings, app)
    listener = listen("127.0.0.1", 0)  # whatever the settings say
    port = listener.getsockname()[1]
    serving = asyncio.create_task(running.serve(sockets=[listener]))

    def stop() -> None:
        running.should_exit = True

    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
            yield Gateway(port, await started, queries, http, app, stop)
    finally:
        stop()
        await serving


class Scoring:
    """A stand-in for the forecasting service: the random walk over MLflow's scoring protocol."""

    def __init__(self) -> None:
        self.asked: list[Document] = []
        self.models: list[str | None] = []  # who was asked
        self.answer: Callable[[Document], JSONResponse] = self.walk
        self.delay = 0.0

    def walk(self, body: Document) -> JSONResponse:
        last = body["dataframe_split"]["data"][-1]
        predictions = [
            {
                "unique_id": last[0],
                "ds": f"2012-01-{3 + step:02}T21:00:00",
                "step": step,
                "mean": last[2],
                **{f"q{level:g}": last[2] * (1 + 0.02 * (level - 0.5) * step) for level in LEVELS},
            }
            for step in range(1, body["params"]["horizon"] + 1)
        ]
        headers = {
            "X-Foretick-Model-Name": "stock-forecaster",
            "X-Foretick-Model-Version": "7",
            "X-Foretick-Model-Family": "naive",
        }
        return JSONResponse({"predictions": predictions}, headers=headers)


@asynccontextmanager
async def scoring() -> AsyncIterator[tuple[Scoring, str]]:
    """Run the stand-in; yield it and its URL."""
    stand_in = Scoring()
    app = FastAPI()

    @app.post("/invocations")
    async def invocations(request: Request) -> JSONResponse:
        body = await request.json()
        stand_in.asked.append(body)
        stand_in.models.append(request.query_params.get("alias"))
        await asyncio.sleep(stand_in.delay)
        return stand_in.answer(body)

    listener = listen("127.0.0.1", 0)
    running = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(running.serve(sockets=[listener]))
    try:
        yield stand_in, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        running.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
