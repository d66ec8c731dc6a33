"""`POST /api/csv`."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.predict.own_bars import bars_of
from gateway.problems import problems
from gateway.routes.dependencies import Json
from gateway.schemas.responses import OwnBars
from gateway.threads import in_thread

router = APIRouter(tags=["forecasts"])

_BODY = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.post("/api/csv", response_model=OwnBars, responses=problems(401, 403, 413), openapi_extra=_BODY)
async def csv(request: Request) -> Response:
    """Read bars of the caller's own from a CSV, whatever program wrote it; nothing is kept."""
    data = await request.body()
    return Json(await in_thread(lambda: bars_of(data))).response()
