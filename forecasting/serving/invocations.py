"""MLflow's scoring protocol: the usual request is read and answered here, whatever else by MLflow's own server.

Its answer to a request that it takes is this one's, at a third of the cost: it builds and checks tables by the cell.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
import pandas as pd
import structlog
from fastapi import Response
from fastapi.responses import JSONResponse
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import scoring_server

from contracts.measures import LEVELS
from forecasting.models.base import HORIZON
from forecasting.modelstore.registry import LoadedModel

log = structlog.get_logger()

_TEXTS, _NUMBERS = ("unique_id", "ds"), ("y", "high", "low")
_TIME = re.compile(r"(19|20)\d\d-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?)?")


class _Unusual(Exception):
    """A request that is left to MLflow: it is no request, or one that is not read here."""


def score(model: LoadedModel, body: bytes, content_type: str) -> Response:
    """Answer a request: a long frame `unique_id, ds, y` (and `high, low`) as MLflow takes it."""
    if content_type.strip().lower().startswith(scoring_server.CONTENT_TYPE_CSV):
        message = "send JSON, with `dataframe_split` or `dataframe_records`: MLflow reads no times from CSV"
        return JSONResponse({"error_code": "BAD_REQUEST", "message": message}, 415)
    content = b""
    with suppress(Exception):  # whatever is at fault, or unusual, MLflow says so in its own words
        content = _usual_answer(model, body, content_type)
    if not content:
        return _mlflows_answer(model, body, content_type)
    return Response(content, headers=_headers(model), media_type="application/json")


def _usual_answer(model: LoadedModel, body: bytes, content_type: str) -> bytes:
    """Return the answer to the request that callers send by far most often.

    Raises:
        Exception: anything; then this says nothing of the request.
    """
    if content_type.partition(";")[0].strip().lower() != scoring_server.CONTENT_TYPE_JSON:
        raise _Unusual
    request = orjson.loads(body)
    split, params = request["dataframe_split"], request.get("params") or {}
    if request.keys() - {"dataframe_split", "params"} or split.keys() - {"columns", "index", "data"}:
        raise _Unusual
    return _written(model.estimator.predict(_frame(split["columns"], split["data"]), *_params(params)))


def _params(params: dict[str, Any]) -> tuple[int, list[float]]:
    horizon, levels = params.get("horizon", HORIZON), params.get("levels", list(LEVELS))
    if params.keys() - {"horizon", "levels"} or type(horizon) is not int or set(map(type, levels)) != {float}:
        raise _Unusual
    return horizon, levels


def _frame(names: list[str], rows: list[list[Any]]) -> pd.DataFrame:
    if len(set(names)) < len(names) or not {*_TEXTS, "y"} <= set(names) <= {*_TEXTS, *_NUMBERS}:
        raise _Unusual
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return pd.DataFrame({name: _column(name, values) for name, values in columns})


def _column(name: str, values: Sequence[Any]) -> Any:
    if set(map(type, values)) - ({str} if name in _TEXTS else {int, float}):
        raise _Unusual
    if name == "ds":
        if not all(map(_TIME.fullmatch, values)):
            raise _Unusual
        return np.array(values, dtype="datetime64[ns]")
    return np.array(values, dtype=object if name in _TEXTS else np.float64)


def _written(answer: pd.DataFrame) -> bytes:
    columns = {name: answer[name].tolist() for name in answer}
    if not all(np.isfinite(column).all() for name, column in columns.items() if name not in _TEXTS):
        raise _Unusual  # JSON has no word for it, MLflow has
    columns["ds"] = [at.isoformat() for at in columns["ds"]]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return orjson.dumps({"predictions": rows})


def _mlflows_answer(model: LoadedModel, body: bytes, content_type: str) -> Response:
    """Let MLflow's own scoring server read the request, ask the model and write the answer."""
    try:
        answer = scoring_server.invocations(  # type: ignore[no-untyped-call]
            body, content_type, model.pyfunc, model.pyfunc.metadata.signature.inputs
        )
    except MlflowException as error:
        return _refusal(model, error)
    return Response(answer.response, answer.status, _headers(model), media_type=answer.mimetype)


def _headers(model: LoadedModel) -> dict[str, str]:
    return {
        "X-Foretick-Model-Name": model.name,
        "X-Foretick-Model-Version": model.version,
        "X-Foretick-Model-Family": model.family,
        "X-Foretick-Run-Id": model.run_id,
    }


def _refusal(model: LoadedModel, error: MlflowException) -> Response:
    """Say in MLflow's own form what was wrong; a trace is for the log only."""
    # MLflow hides what the model said behind a text of its own.
    said = error.__cause__ or error.__context__
    status: int = error.get_http_status_code()  # type: ignore[no-untyped-call]
    detail = error.message
    if isinstance(said, ValueError):  # a frame or parameters that no model takes
        detail = str(said)
    elif said is not None and not isinstance(said, MlflowException):
        status = 500
    if status >= 500:
        log.error("a model failed", family=model.family, version=model.version, error=detail, exc_info=said)
    return JSONResponse({"error_code": error.error_code, "message": detail}, status)
