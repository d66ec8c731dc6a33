"""Read back what a training wrote to its MLflow run."""

from collections.abc import Mapping
from dataclasses import dataclass

import mlflow
from mlflow import MlflowClient

from forecasting.data.offsets import OffsetVector
from forecasting.modelstore.recipe import Recipe
from forecasting.modelstore.registry import ModelRegistry, NoModel
from forecasting.settings import ForecastingSettings
from forecasting.training.tracking import OFFSETS, RECIPE


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A training's run: one family's, or (without a recipe) the one around several families'."""

    run_id: str
    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    vector: OffsetVector
    recipe: Recipe | None
    inner: tuple[str, ...]  # run ids of the families trained within it


def read_logged_run(settings: ForecastingSettings, run_id: str) -> LoggedRun:
    """Read a run.

    Raises:
        NoModel: there is no such run, or it is not of a training; ModelsAway: MLflow does not answer.
    """
    registry = ModelRegistry(settings)  # it sets the server's address
    client = MlflowClient(settings.mlflow)
    with registry.answering():
        found = client.get_run(run_id)
        held = {item.path for item in client.list_artifacts(run_id)}
        if OFFSETS not in held:
            raise NoModel(f"run {run_id} at {settings.mlflow} has no {OFFSETS}: no training of this project made it")
        vector = OffsetVector.from_json(mlflow.artifacts.load_text(f"runs:/{run_id}/{OFFSETS}"))
        recipe = Recipe.from_json(mlflow.artifacts.load_text(f"runs:/{run_id}/{RECIPE}")) if RECIPE in held else None
        inner = client.search_runs(
            [found.info.experiment_id],
            f"tags.`mlflow.parentRunId` = '{run_id}'",
            order_by=["attributes.start_time ASC"],
        )
    return LoggedRun(
        run_id=run_id,
        name=str(found.info.run_name),
        params=dict(found.data.params),
        metrics=dict(found.data.metrics),
        vector=vector,
        recipe=recipe,
        inner=tuple(run.info.run_id for run in inner),
    )
