"""The one MLflow model of all families: a long frame in, a long frame of quantiles out."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

from forecasting.models.base import HORIZON, Estimator, quantile_column
from forecasting.models.families import load
from forecasting.quantiles import LEVELS

ARTIFACT = "estimator"


class Forecaster(PythonModel):
    """Serves a saved estimator of any family through MLflow's own protocol."""

    estimator: Estimator

    def load_context(self, context: PythonModelContext) -> None:
        """Read the estimator from the model's artifacts: JSON and arrays."""
        self.estimator = load(Path(context.artifacts[ARTIFACT]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Forecast; `params` as in the signature."""
        asked = params or {}
        return self.estimator.predict(
            model_input, int(asked.get("horizon", HORIZON)), [float(level) for level in asked.get("levels", LEVELS)]
        )


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
