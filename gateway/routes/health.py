"""`GET /health/live`, `/health/ready`, `/metrics`."""

from typing import Annotated

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.keys import Keys
from gateway.access.scopes import READ, shown_credential
from gateway.problems import Problem
from gateway.routes.dependencies import Json, PartsDep, get_keys
from gateway.schemas.responses import Health

router = APIRouter(tags=["operations"])


@router.get("/health/live", response_model=Health)
async def live() -> Response:
    """Tell that the process answers."""
    return Json({"status": "live", "reasons": []}).response()


@router.get("/health/ready", response_model=Health, responses={503: {"model": Health}})
async def ready(request: Request, parts: PartsDep, keys: Annotated[Keys, Depends(get_keys)]) -> Response:
    """Tell whether Kafka, MongoDB and the registry answer and a model serves, and callers with `read` why not."""
    reasons = await parts.health.reasons()
    if reasons:
        if not await _may_read(request, keys):  # they name addresses inside
            reasons = ["A token with the scope `read` is told why."]
        return Json({"status": "waiting", "reasons": reasons}, status=503, headers={"Retry-After": "2"}).response()
    return Json({"status": "ready", "reasons": []}).response()


async def _may_read(request: Request, keys: Keys) -> bool:
    address = request.client.host if request.client else ""
    try:
        caller = await keys.caller(shown_credential(request.headers, websocket=False), address)
    except Problem:
        return False
    return caller is not None and READ in caller.scopes


@router.get("/metrics", response_class=Response)
async def metrics(parts: PartsDep) -> Response:
    """Return Prometheus metrics."""
    return Response(parts.metrics.text(), headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_LATEST)
