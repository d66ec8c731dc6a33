"""`GET /api/pipeline`."""

from fastapi import APIRouter
from starlette.responses import Response

from gateway.problems import problems
from gateway.reports import Pipeline
from gateway.wiring import Json, Wired

router = APIRouter(tags=["operations"])


@router.get("/api/pipeline", response_model=Pipeline, responses=problems(401, 403, 503))
async def pipeline(wired: Wired) -> Response:
    """Tell how far each read model has come, which services are ready, and what could not be read."""
    return Json(await wired.pipeline.state()).response()
