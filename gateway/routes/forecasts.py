"""`GET /api/forecasts/{symbol}`."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from contracts.documents import FORECASTS_COLLECTION
from contracts.ids import stamp
from gateway.problems import Problem, problems
from gateway.routes.dependencies import ListDep, PartsDep
from gateway.schemas.requests import Interval, Moment, Symbol, as_utc
from gateway.schemas.responses import Forecast, Page

router = APIRouter(tags=["forecasts"])


@router.get(
    "/api/forecasts/{symbol:path}", response_model=Page[Forecast], responses=problems(304, 401, 403, 404, 422, 503)
)
async def forecasts(
    parts: PartsDep,
    read: ListDep,
    symbol: Annotated[Symbol, Path(examples=["AAPL"])],
    interval: Interval = "P1D",
    role: Literal["CHAMPION", "SHADOW"] | None = None,
    family: Annotated[str | None, Query(max_length=64, examples=["naive"])] = None,
    before: Annotated[str | None, Query(max_length=128, description="The cursor of the page before.")] = None,
    origin: Annotated[Moment | None, Query(description="Only those made at the close of this moment.")] = None,
    as_of: Annotated[Moment | None, Query(description="Issued by this moment, with the scores of then.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Response:
    """List forecasts with their scores so far, newest origin first; page back with `before`."""
    position = await read.position(FORECASTS_COLLECTION)
    rows = await parts.queries.forecasts(
        symbol,
        interval,
        role=role,
        family=family,
        before=_cursor(before) if before else None,
        origin=origin,
        as_of=as_of,
        limit=limit + 1,
    )
    if not rows and not await parts.queries.knows(symbol):
        raise Problem(404, "unknown-symbol", f"Nothing is known of {symbol}; /api/symbols lists what is.")
    items = rows[:limit]
    following = f"{stamp(items[-1]['origin'])}|{items[-1]['forecast_id']}" if len(rows) > limit else None
    return read.answer(items, position, next=following)


def _cursor(text: str) -> tuple[datetime, str]:
    origin, bar, forecast_id = text.partition("|")
    try:
        return as_utc(datetime.fromisoformat(origin)), forecast_id if bar else ""
    except (ValueError, OverflowError):
        raise Problem(422, "invalid-cursor", f"before: {text!r} is no cursor; give back `next` as it came.") from None
