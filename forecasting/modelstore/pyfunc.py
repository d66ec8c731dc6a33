"""The one MLflow model of all families: a long frame in, a long frame of quantiles out.

What the registry holds is data to us: we read the estimator's JSON and arrays by code of this project and answer in
MLflow's manner ourselves. MLflow's own `load_model` would first run the code that lies beside them, whoever put it
there.
"""

import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import FLAVOR_NAME, MAIN, PyFuncModel
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

from contracts.measures import LEVELS
from forecasting.models.base import HORIZON, Estimator, quantile_column
from forecasting.models.families import load_estimator

ARTIFACT = "estimator"
_MOST_BYTES = 256 * 1024 * 1024  # of a version's files, unpacked: ours have one


class ForeignModel(ValueError):
    """A folder that holds no estimator of ours, whole and unharmed."""


class Forecaster(PythonModel):
    """Serves a saved estimator of any family through MLflow's own protocol."""

    estimator: Estimator

    def load_context(self, context: PythonModelContext) -> None:
        """Read the estimator from the model's artifacts: JSON and arrays."""
        self.estimator = load_estimator(Path(context.artifacts[ARTIFACT]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Forecast; `params` as in the signature."""
        return _forecast(self.estimator, model_input, params)


class _Answering:
    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        return _forecast(self._estimator, frame, params)


def pyfunc_of(estimator: Estimator) -> PyFuncModel:
    """Return an estimator as MLflow's scoring server asks one: by the signature that every version has."""
    metadata = Model(signature=signature(), flavors={FLAVOR_NAME: {MAIN: __name__}})
    return PyFuncModel(metadata, _Answering(estimator))


def open_estimator(folder: Path) -> Estimator:
    """Read the estimator of a downloaded version; nothing that lies there is executed.

    Raises:
        ForeignModel: it is not ours, is too large, or this code cannot take it up.
    """
    saved = folder / "artifacts" / ARTIFACT  # where MLflow keeps a model's artifacts
    try:
        size = sum(_unpacked(path) for path in saved.rglob("*"))
        if size > _MOST_BYTES:
            raise ForeignModel(f"its files have {size} bytes, {_MOST_BYTES} at most are read")
        return load_estimator(saved)
    except Exception as error:  # a stranger may have written it: whatever it makes our reader raise, it is at fault
        raise ForeignModel(f"{type(error).__name__}: {error}") from error


def _unpacked(path: Path) -> int:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            return sum(each.file_size for each in packed.infolist())
    return path.stat().st_size


def _forecast(estimator: Estimator, frame: pd.DataFrame, params: dict[str, Any] | None) -> pd.DataFrame:
    asked = params or {}
    levels = [float(level) for level in asked.get("levels", LEVELS)]
    return estimator.predict(frame, int(asked.get("horizon", HORIZON)), levels)


def signature() -> ModelSignature:
    """Return the signature that every version has."""
    return ModelSignature(
        inputs=Schema(
            [
                ColSpec("string", "unique_id"),
                ColSpec("datetime", "ds"),
                ColSpec("double", "y"),
                ColSpec("double", "high", required=False),
                ColSpec("double", "low", required=False),
            ]
        ),
        outputs=Schema(
            [
                ColSpec("string", "unique_id"),
                ColSpec("datetime", "ds"),
                ColSpec("long", "step"),
                ColSpec("double", "mean"),
                *(ColSpec("double", quantile_column(level)) for level in LEVELS),
            ]
        ),
        params=ParamSchema(
            [
                ParamSpec("horizon", "long", HORIZON),
                ParamSpec("levels", "double", list(LEVELS), shape=(-1,)),
            ]
        ),
    )
