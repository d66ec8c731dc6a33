"""`GET /health/live`, `/health/ready`, `/metrics`."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from gateway.responses import Health
from gateway.wiring import Json, Wired

router = APIRouter(tags=["operations"])


@router.get("/health/live", response_model=Health)
async def live() -> Response:
    """Tell that the process answers."""
    return Json({"status": "live", "reasons": []}).response()


@router.get("/health/ready", response_model=Health, responses={503: {"model": Health}})
async def ready(wired: Wired) -> Response:
    """Tell whether Kafka, MongoDB and the registry answer and a model serves, and if not, why."""
    reasons = await wired.health.reasons()
    if reasons:
        return Json({"status": "waiting", "reasons": reasons}, status=503, headers={"Retry-After": "2"}).response()
    return Json({"status": "ready", "reasons": []}).response()


@router.get("/metrics", response_class=Response)
async def metrics(wired: Wired) -> Response:
    """Return Prometheus metrics."""
    return Response(wired.metrics.text(), media_type=CONTENT_TYPE_LATEST)
