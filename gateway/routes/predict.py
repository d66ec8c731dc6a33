"""`POST /predict`."""

from fastapi import APIRouter
from starlette.responses import Response

from gateway.problems import problems
from gateway.routes.dependencies import CallerDep, Json, PartsDep
from gateway.schemas.requests import PredictRequest
from gateway.schemas.responses import Prediction

router = APIRouter(tags=["forecasts"])


@router.post("/predict", response_model=Prediction, responses=problems(400, 401, 403, 413, 422, 429, 503))
async def predict(parts: PartsDep, caller: CallerDep, request: PredictRequest) -> Response:
    """Forecast a symbol, or a history of the caller's own, by the model that serves now."""
    return Json(await parts.predictor.predict(request, caller)).response()
