"""`GET /api/models`, `/api/promotions`."""

from fastapi import APIRouter
from starlette.responses import Response

from gateway.problems import problems
from gateway.reads.standings import newest_by_alias
from gateway.routes.dependencies import Json, PartsDep
from gateway.schemas.responses import Models, Promotions

router = APIRouter(tags=["models"])


@router.get("/api/models", response_model=Models, responses=problems(401, 403, 503))
async def models(parts: PartsDep) -> Response:
    """List where each alias of the registered model points, since when and why."""
    position = await parts.queries.position("promotions")
    items = newest_by_alias(await parts.queries.promotions())
    return Json({"items": items, "position": position}, position).response()


@router.get("/api/promotions", response_model=Promotions, responses=problems(401, 403, 503))
async def promotions(parts: PartsDep) -> Response:
    """List every decision on an alias, moved or kept, with its evaluation and who was refused; newest first."""
    position = await parts.queries.position("promotions")
    return Json({"items": await parts.queries.promotions(), "position": position}, position).response()
