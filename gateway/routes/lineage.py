"""`GET /api/lineage/{forecast_id}`."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from gateway.problems import Problem, problems
from gateway.reads.lineages import promotion_behind
from gateway.routes.dependencies import IfNoneMatch, Json, PartsDep
from gateway.schemas.responses import LineageOf

router = APIRouter(tags=["forecasts"])


@router.get("/api/lineage/{forecast_id}", response_model=LineageOf, responses=problems(304, 401, 403, 404, 422, 503))
async def lineage(
    parts: PartsDep, forecast_id: Annotated[str, Path(max_length=64)], if_none_match: IfNoneMatch = None
) -> Response:
    """Tell the whole chain behind a forecast.

    The bars and splits that it read (topic, partition, offsets, hash), the version and MLflow run that made it, by
    which code; the decision that put the version there, with the offsets, schemas, calendar and hash of what it
    learned from; and what came true so far.
    """
    forecast = await parts.queries.forecast(forecast_id)
    if forecast is None:
        raise Problem(404, "unknown-forecast", f"There is no forecast {forecast_id}.")
    decisions = await parts.queries.promotions()
    shown = {name: value for name, value in forecast.items() if name not in ("steps", "price_basis")}
    concerned = [decision for decision in decisions if decision["version"] == forecast["model"]["version"]]
    promotion = promotion_behind(forecast, decisions)
    return Json({**shown, "promotion": promotion, "promotions": concerned}, tagged=True).response(if_none_match)
