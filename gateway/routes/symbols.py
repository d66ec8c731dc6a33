"""`GET /api/symbols`."""

from fastapi import APIRouter
from starlette.responses import Response

from gateway.problems import problems
from gateway.routes.dependencies import Json, PartsDep
from gateway.schemas.responses import Page, SymbolSummary

router = APIRouter(tags=["market"])


@router.get("/api/symbols", response_model=Page[SymbolSummary], responses=problems(401, 403, 503))
async def symbols(parts: PartsDep) -> Response:
    """List the symbols there are, with their first and last bar."""
    position = await parts.queries.position("symbols")
    items = [item for item in await parts.queries.symbols() if item["bars"]]
    return Json({"items": items, "next": None, "position": position}, position).response()
