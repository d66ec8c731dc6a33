"""`GET /api/symbols`."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.documents import SYMBOLS_COLLECTION
from gateway.problems import problems
from gateway.routes.dependencies import ListDep, PartsDep
from gateway.schemas.responses import Page, SymbolSummary

router = APIRouter(tags=["market"])


@router.get("/api/symbols", response_model=Page[SymbolSummary], responses=problems(304, 401, 403, 422, 503))
async def symbols(parts: PartsDep, read: ListDep) -> Response:
    """List the symbols there are, with their first and last bar."""
    position = await read.position(SYMBOLS_COLLECTION)
    items = [item for item in await parts.queries.symbols() if item["bars"]]
    return read.answer(items, position, next=None)
