"""`GET /api/leaderboard`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gateway.problems import problems
from gateway.reads.leaderboards import SESSIONS_OF_A_YEAR, LeaderboardFilter
from gateway.routes.dependencies import ListDep, PartsDep
from gateway.schemas.requests import MOST_STEPS, Interval, Symbol
from gateway.schemas.responses import Leaderboard, Position

router = APIRouter(tags=["models"])


@router.get("/api/leaderboard", response_model=Leaderboard, responses=problems(304, 401, 403, 422, 503))
async def leaderboard(
    parts: PartsDep,
    read: ListDep,
    interval: Interval = "P1D",
    step: Annotated[int | None, Query(ge=1, le=MOST_STEPS, description="Sessions ahead; default: each.")] = None,
    symbol: Symbol | None = None,
    family: Annotated[str | None, Query(min_length=1, max_length=64, examples=["arima"])] = None,
    window: Annotated[int, Query(ge=1, le=10_000, description="Newest settled sessions.")] = SESSIONS_OF_A_YEAR,
) -> Response:
    """Rank the versions by what came true, against the random walk."""
    which = LeaderboardFilter(interval, step, symbol, family, window)

    async def position() -> Position:
        return (await parts.leaderboards.of(which))[1]

    await read.reached(position)
    return read.answer(*await parts.leaderboards.of(which))
