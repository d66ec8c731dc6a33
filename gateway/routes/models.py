"""`GET /api/models`, `/api/promotions`."""

from fastapi import APIRouter
from starlette.responses import Response

from contracts.documents import PROMOTIONS_COLLECTION
from gateway.problems import problems
from gateway.reads.standings import newest_by_alias
from gateway.routes.dependencies import ListDep, PartsDep
from gateway.schemas.responses import Models, Promotions

router = APIRouter(tags=["models"])


@router.get("/api/models", response_model=Models, responses=problems(304, 401, 403, 422, 503))
async def models(parts: PartsDep, read: ListDep) -> Response:
    """List where each alias of the registered model points, since when and why."""
    position = await read.position(PROMOTIONS_COLLECTION)
    items = newest_by_alias(await parts.queries.promotions())
    return read.answer(items, position)


@router.get("/api/promotions", response_model=Promotions, responses=problems(304, 401, 403, 422, 503))
async def promotions(parts: PartsDep, read: ListDep) -> Response:
    """List every decision on an alias, moved or kept, with its evaluation and who was refused; newest first."""
    position = await read.position(PROMOTIONS_COLLECTION)
    return read.answer(await parts.queries.promotions(), position)
