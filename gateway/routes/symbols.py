"""`GET /api/symbols`."""

from fastapi import APIRouter
from starlette.responses import Response

from gateway.problems import problems
from gateway.responses import Page, SymbolSummary
from gateway.wiring import Json, Wired

router = APIRouter(tags=["market"])


@router.get("/api/symbols", response_model=Page[SymbolSummary], responses=problems(401, 403, 503))
async def symbols(wired: Wired) -> Response:
    """List the symbols there are, with their first and last bar."""
    position = await wired.queries.position("symbols")
    items = [item for item in await wired.queries.symbols() if item["bars"]]
    return Json({"items": items, "next": None, "position": position}, position).response()
