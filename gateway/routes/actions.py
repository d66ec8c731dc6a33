"""`GET /api/actions/{symbol}`."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from contracts.documents import ACTIONS_COLLECTION
from gateway.problems import Problem, problems
from gateway.routes.dependencies import ListDep, PartsDep
from gateway.schemas.requests import Moment, Symbol
from gateway.schemas.responses import Actions

router = APIRouter(tags=["market"])


@router.get("/api/actions/{symbol:path}", response_model=Actions, responses=problems(304, 401, 403, 404, 422, 503))
async def actions(
    parts: PartsDep,
    read: ListDep,
    symbol: Annotated[Symbol, Path(examples=["AAPL"])],
    as_of: Annotated[Moment | None, Query(description="What was announced by this moment.")] = None,
) -> Response:
    """List a symbol's splits and dividends, by ex-date."""
    position = await read.position(ACTIONS_COLLECTION)
    items = await parts.queries.actions(symbol, as_of)
    if not items and not await parts.queries.knows(symbol):
        raise Problem(404, "unknown-symbol", f"Nothing is known of {symbol}; /api/symbols lists what is.")
    return read.answer(items, position)
