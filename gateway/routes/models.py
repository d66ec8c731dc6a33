"""`GET /api/models`, `/api/promotions`."""

from fastapi import APIRouter
from starlette.responses import Response

from gateway.problems import problems
from gateway.responses import Models, Promotions
from gateway.standings import newest_by_alias
from gateway.wiring import Json, Wired

router = APIRouter(tags=["models"])


@router.get("/api/models", response_model=Models, responses=problems(401, 403, 503))
async def models(wired: Wired) -> Response:
    """List where each alias of the registered model points, since when and why."""
    position = await wired.queries.position("promotions")
    items = newest_by_alias(await wired.queries.promotions())
    return Json({"items": items, "position": position}, position).response()


@router.get("/api/promotions", response_model=Promotions, responses=problems(401, 403, 503))
async def promotions(wired: Wired) -> Response:
    """List every decision on an alias, moved or kept, with its evaluation and who was refused; newest first."""
    position = await wired.queries.position("promotions")
    return Json({"items": await wired.queries.promotions(), "position": position}, position).response()
