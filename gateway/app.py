"""The gateway's app: its parts put together, its routes, its errors, what begins and ends with it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from contracts.topics import STOCK_DATA, STOCK_FORECASTS
from gateway import problems
from gateway.access.jwts import Jwts
from gateway.access.keys import Keys
from gateway.access.sessions import Sessions
from gateway.access.tokens import Register
from gateway.describe import asyncapi
from gateway.describe.openapi import DESCRIPTION, install_docs
from gateway.describe.socket_messages import MODELS
from gateway.http.authentication import AuthMiddleware
from gateway.http.middleware import RequestMiddleware
from gateway.http.web_app import WebApp
from gateway.metrics import GatewayMetrics
from gateway.predict.predictor import Predictor
from gateway.problems import ProblemDetails
from gateway.reads.leaderboards import Leaderboards
from gateway.reads.queries import Queries
from gateway.routes import (
    access,
    actions,
    bars,
    files,
    forecasts,
    health,
    leaderboard,
    lineage,
    models,
    pipeline,
    predict,
    streams,
    symbols,
)
from gateway.routes.dependencies import Parts
from gateway.settings import GatewaySettings
from gateway.status.health import HealthCheck
from gateway.status.pipeline import PipelineStatus
from gateway.stream.backlog import LogReaders
from gateway.stream.hub import Hub
from gateway.stream.relay import Relay
from gateway.stream.sockets import Sockets
from gateway.threads import in_thread
from streaming.journal import Journal

ROUTES = (
    symbols, bars, actions, forecasts, models, leaderboard, lineage, pipeline, predict, files, access, health, streams,
)  # fmt: skip
RELAYED = (STOCK_DATA, STOCK_FORECASTS)

Opening = Callable[[GatewaySettings, GatewayMetrics], AbstractAsyncContextManager[Parts]]


def create_app(settings: GatewaySettings, opening: Opening | None = None) -> FastAPI:
    """Return the app; nothing is opened before it starts.

    Args:
        opening: makes the parts and lets go of them; None: the real ones.
    """
    metrics = GatewayMetrics()
    keys = _keys(settings)
    journal = Journal()
    open_parts = opening or opened_parts

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_parts(settings, metrics) as parts:
            app.state.parts = parts
            watching = asyncio.create_task(parts.sockets.dismiss(keys.fault))
            yield
            watching.cancel()
        await keys.close()

    app = FastAPI(
        title="Foretick",
        version="0.1.0",
        summary="Market bars, forecasts with their lineage and scores, and predictions on request.",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(
                RequestMiddleware,
                metrics=metrics,
                body_limit=settings.body_limit,
                hosts=settings.allowed_hosts,
                journal=journal,
                tls_only=settings.tls_only,
            ),
            Middleware(
                CORSMiddleware,
                allow_origins=sorted(settings.allowed_origins),
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", "If-None-Match", "X-Request-ID", "traceparent"],
                expose_headers=["ETag", "Retry-After", "X-Request-ID", "X-Stream-Position"],
            ),
            Middleware(AuthMiddleware, keys=keys, settings=settings, metrics=metrics, journal=journal),
            Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5),
        ],
    )
    app.state.keys = keys
    app.state.journal = journal
    problems.install_problem_handlers(app)
    for module in ROUTES:
        app.include_router(module.router)
    install_docs(app, ProblemDetails, *MODELS)
    app.include_router(asyncapi.router)
    app.router.default = WebApp(settings.web)  # a mount at / would take known addresses with unknown methods, too
    return app


@asynccontextmanager
async def opened_parts(settings: GatewaySettings, metrics: GatewayMetrics) -> AsyncIterator[Parts]:
    """Open everything the gateway needs and begin to relay; close it all at the end."""
    loop = asyncio.get_running_loop()
    hub = Hub(
        ring_messages=settings.memory_messages,
        heartbeat_every=settings.heartbeat_seconds,
        round_messages=min(200, settings.client_queue // 4),
    )
    metrics.watch(hub)
    relay = Relay(settings, RELAYED, hub, metrics, preload=settings.preload_messages)
    async with AsyncExitStack() as closing:
        queries = Queries(settings)
        closing.push_async_callback(queries.close)
        predictor = Predictor(settings, queries, metrics)
        closing.push_async_callback(predictor.close)
        asked = HealthCheck(settings, hub, relay, queries)
        closing.push_async_callback(asked.close)
        watched = PipelineStatus(settings, queries)
        closing.push_async_callback(watched.close)
        backlog = LogReaders(settings, hub)
        relay.start(loop)
        closing.push_async_callback(in_thread, relay.stop)
        for work in (hub.beat(), relay.watch()):
            closing.callback(asyncio.create_task(work).cancel)
        yield Parts(
            settings=settings,
            metrics=metrics,
            hub=hub,
            queries=queries,
            predictor=predictor,
            sockets=Sockets(settings, hub, backlog, metrics),
            health=asked,
            pipeline=watched,
            leaderboards=Leaderboards(queries),
        )


def _keys(settings: GatewaySettings) -> Keys:
    jwts = Jwts(
        settings.jwks_url,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        levels=settings.jwt_acr,
        rsa_bits=settings.jwt_rsa_bits,
    )
    return Keys(
        Register(settings.tokens, settings.tokens_file),
        Sessions(settings.session_idle_minutes * 60, settings.session_days * 86_400),
        jwts if settings.jwks_url else None,
    )
