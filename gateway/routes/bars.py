"""`GET /api/bars/{symbol}`."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from contracts.ids import stamp
from gateway.histories import adjusted
from gateway.positions import parse, reached
from gateway.problems import Problem, problems
from gateway.requests import Interval, Moment, Symbol
from gateway.responses import Bar, Page
from gateway.wiring import IfNoneMatch, Json, MinPosition, Parts, Wired

router = APIRouter(tags=["market"])

Time = Annotated[Moment | None, Query(examples=["2012-01-03T21:00:00Z"])]


@router.get("/api/bars/{symbol:path}", response_model=Page[Bar], responses=problems(304, 401, 403, 404, 422, 503))
async def bars(
    wired: Wired,
    symbol: Annotated[Symbol, Path(examples=["AAPL"])],
    interval: Interval = "P1D",
    start: Time = None,
    end: Time = None,
    before: Annotated[Moment | None, Query(description="The cursor: only bars closed before.")] = None,
    as_of: Annotated[Moment | None, Query(description="What was known at this moment, and nothing later.")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    adjust: Annotated[
        Literal["none", "splits"], Query(description="splits: in the share terms of the symbol's newest bar.")
    ] = "none",
    min_position: MinPosition = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the newest bars of a range (both ends included), oldest first; page back with `before`."""
    models = ("stock_data" if as_of is None else "stock_data_revisions", "corporate_actions")
    position = await reached(
        lambda: wired.queries.position(*models[: 1 + (adjust == "splits")]),
        parse(min_position),
        wired.settings.min_position_seconds,
    )
    rows = await wired.queries.bars(
        symbol,
        interval,
        start=start,
        end=end,
        before=before,
        as_of=as_of,
        limit=limit + 1,
    )
    if not rows and not await wired.queries.knows(symbol):
        raise Problem(404, "unknown-symbol", f"Nothing is known of {symbol}; /api/symbols lists what is.")
    more, items = len(rows) > limit, rows[:limit][::-1]
    if adjust == "splits" and items:
        items = await _adjusted(wired, symbol, interval, items, as_of)
    following = stamp(items[0]["closed_at"]) if more else None
    return Json({"items": items, "next": following, "position": position}, position, tagged=True).response(
        if_none_match
    )


async def _adjusted(
    wired: Parts, symbol: str, interval: str, items: list[dict[str, object]], known: datetime | None
) -> list[dict[str, object]]:
    """Put a page in the share terms of the newest bar of all, so that pages join."""
    splits = await wired.queries.splits(symbol, known)
    if not splits:
        return items
    newest = await wired.queries.bars(symbol, interval, as_of=known, limit=1)
    return adjusted(items, splits, newest[0]["closed_at"])
