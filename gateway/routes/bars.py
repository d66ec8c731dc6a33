"""`GET /api/bars/{symbol}`."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from contracts.documents import ACTIONS_COLLECTION, BARS_COLLECTION, REVISIONS_COLLECTION
from contracts.ids import stamp
from gateway.predict.history import adjusted
from gateway.problems import Problem, problems
from gateway.routes.dependencies import ListDep, Parts, PartsDep
from gateway.schemas.requests import Interval, Moment, Symbol
from gateway.schemas.responses import Bar, Page

router = APIRouter(tags=["market"])

BarCursor = Annotated[Moment | None, Query(examples=["2012-01-03T21:00:00Z"])]


@router.get("/api/bars/{symbol:path}", response_model=Page[Bar], responses=problems(304, 401, 403, 404, 422, 503))
async def bars(
    parts: PartsDep,
    read: ListDep,
    symbol: Annotated[Symbol, Path(examples=["AAPL"])],
    interval: Interval = "P1D",
    start: BarCursor = None,
    end: BarCursor = None,
    before: Annotated[Moment | None, Query(description="The cursor: only bars closed before.")] = None,
    as_of: Annotated[Moment | None, Query(description="What was known at this moment, and nothing later.")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    adjust: Annotated[
        Literal["none", "splits"], Query(description="splits: in the share terms of the symbol's newest bar.")
    ] = "none",
) -> Response:
    """List the newest bars of a range (both ends included), oldest first; page back with `before`."""
    models = (BARS_COLLECTION if as_of is None else REVISIONS_COLLECTION, ACTIONS_COLLECTION)
    position = await read.position(*models[: 1 + (adjust == "splits")])
    rows = await parts.queries.bars(
        symbol,
        interval,
        start=start,
        end=end,
        before=before,
        as_of=as_of,
        limit=limit + 1,
    )
    if not rows and not await parts.queries.knows(symbol):
        raise Problem(404, "unknown-symbol", f"Nothing is known of {symbol}; /api/symbols lists what is.")
    more, items = len(rows) > limit, rows[:limit][::-1]
    if adjust == "splits" and items:
        items = await _adjusted(parts, symbol, interval, items, as_of)
    following = stamp(items[0]["closed_at"]) if more else None
    return read.answer(items, position, next=following)


async def _adjusted(
    parts: Parts, symbol: str, interval: str, items: list[dict[str, object]], known: datetime | None
) -> list[dict[str, object]]:
    """Put a page in the share terms of the newest bar of all, so that pages join."""
    splits = await parts.queries.splits(symbol, known)
    if not splits:
        return items
    newest = await parts.queries.bars(symbol, interval, as_of=known, limit=1)
    return adjusted(items, splits, newest[0]["closed_at"])
