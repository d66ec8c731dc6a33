"""`POST /predict`."""

from fastapi import APIRouter
from starlette.responses import Response

from gateway.problems import problems
from gateway.requests import PredictRequest
from gateway.responses import Prediction
from gateway.wiring import Calling, Json, Wired

router = APIRouter(tags=["forecasts"])


@router.post("/predict", response_model=Prediction, responses=problems(400, 401, 403, 413, 422, 429, 503))
async def predict(wired: Wired, caller: Calling, request: PredictRequest) -> Response:
    """Forecast a symbol, or a history of the caller's own, by the model that serves now."""
    return Json(await wired.predictor.predict(request, caller)).response()
