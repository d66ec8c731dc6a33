"""`GET /api/pipeline`."""

from fastapi import APIRouter
from starlette.responses import Response

from gateway.problems import problems
from gateway.routes.dependencies import Json, PartsDep
from gateway.schemas.pipeline import Pipeline

router = APIRouter(tags=["operations"])


@router.get("/api/pipeline", response_model=Pipeline, responses=problems(401, 403, 503))
async def pipeline(parts: PartsDep) -> Response:
    """Tell how far each read model has come, which services are ready, and what could not be read."""
    return Json(await parts.pipeline.state()).response()
