"""The forecasting service over HTTP: MLflow's scoring protocol for the models at work, and operations."""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from mlflow.pyfunc import scoring_server
from mlflow.version import VERSION

from contracts.parts import CHAMPION
from forecasting.modelstore.registry import LoadedModel
from forecasting.prometheus import INVOCATIONS
from forecasting.serving.invocations import score
from forecasting.serving.loaded_models import LoadedModels
from streaming.operations import ops_router

RETRY_AFTER = 2  # seconds


def create_serving_app(
    loaded: Callable[[], LoadedModels], status: Callable[[], dict[str, Any]], reasons: Callable[[], list[str]]
) -> FastAPI:
    """Return the app.

    Args:
        loaded: the models at work now.
        status: the service's own state, as JSON.
        reasons: why it is not ready; empty when it is.
    """
    app = FastAPI(title="Foretick forecasting", docs_url=None, redoc_url=None)
    app.include_router(ops_router(status, reasons))

    @app.get("/ping")
    @app.get("/health")
    def ping() -> Response:
        """Answer 200 once a model can be asked (MLflow's scoring protocol)."""
        _model(loaded(), CHAMPION, reasons)
        return Response("\n", media_type="application/json")

    @app.get("/version")
    def version() -> Response:
        """Return MLflow's version (MLflow's scoring protocol)."""
        return Response(VERSION, media_type="application/json")

    @app.get("/models")
    def models() -> dict[str, Any]:
        """List the models at work by alias, with their roles."""
        now = loaded()
        return {
            "items": [
                {
                    "alias": alias,
                    "name": model.name,
                    "version": model.version,
                    "family": model.family,
                    "run_id": model.run_id,
                    "role": now.roles.get(model.version),
                    "min_history": model.min_history,
                }
                for alias, model in now.models.items()
            ]
        }

    @app.post("/invocations")
    async def invocations(
        request: Request,
        alias: str = Query(CHAMPION, description="Which model at work to ask: an alias, a family or a version."),
    ) -> Response:
        """Forecast a long frame `unique_id, ds, y` (and `high, low`) by MLflow's scoring protocol.

        The body is JSON with `dataframe_split` or `dataframe_records`, and `params` `horizon`, `levels`.
        """
        model = _model(loaded(), alias, reasons)
        body = await request.body()
        kind = request.headers.get("content-type", scoring_server.CONTENT_TYPE_JSON)
        answer = await asyncio.to_thread(score, model, body, kind)
        INVOCATIONS.labels(model.family, str(answer.status_code)).inc()
        return answer

    return app


def _model(loaded: LoadedModels, asked: str, reasons: Callable[[], list[str]]) -> LoadedModel:
    """Return the model of an alias, a family or a version; 503 while there is none at all, 404 for an unknown one."""
    if found := loaded.named(asked):
        return found
    if asked == CHAMPION or not loaded.models:
        why = "; ".join(reasons()) or f"no alias {asked} is set"
        detail = why if why.startswith("no model is loaded yet") else f"no model is loaded yet: {why}"
        raise HTTPException(503, detail, headers={"Retry-After": str(RETRY_AFTER)})
    raise HTTPException(
        404,
        f"no model {asked!r} is at work; there are {', '.join(loaded.models)}, or by version "
        f"{', '.join(loaded.by_version)}. A registered version is loaded once an alias points at it.",
    )
