"""What a training writes to its MLflow run: parameters, metrics, curves, pictures, the data's name."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Metric

from contracts.measures import skill
from contracts.parts import Metrics
from forecasting.data.offsets import DataName
from forecasting.models.base import Epoch, Estimator
from forecasting.modelstore.recipe import Recipe
from forecasting.training import pictures
from forecasting.training.holdout import Scores

OFFSETS, RECIPE, SCORES = "offsets.json", "recipe.json", "scores.json"


def log_data(data: DataName, frame: pd.DataFrame) -> None:
    """Write which part of the log was learned from, read how, and what its bytes hash to."""
    mlflow.log_params(
        {
            "training_sha256": data.sha256,
            "training_bars": data.bars,
            "training_schema_ids": ",".join(map(str, data.schema_ids)),
            "training_calendar": data.calendar,
            "training_symbols": frame["unique_id"].nunique(),
            "training_first": frame["ds"].min().isoformat(),
            "training_last": frame["ds"].max().isoformat(),
            "code_version": data.code_version,
        }
    )
    mlflow.log_text(data.vector.to_json() + "\n", OFFSETS)


def log_recipe(recipe: Recipe) -> None:
    """Write all else that a training's outcome depends on."""
    mlflow.log_text(recipe.to_json() + "\n", RECIPE)


def log_estimator(estimator: Estimator) -> None:
    """Write a family's parameters and its losses by epoch."""
    mlflow.log_params({"family": estimator.family, **estimator.parameters()})
    log_steps(
        (name, value, epoch.number)
        for epoch in estimator.curves()
        for name, value in (("loss", epoch.loss), ("val_loss", epoch.val_loss))
    )


def log_scores(scores: Scores, naive: Scores) -> None:
    """Write what a family scored on the hold-out, in all and by step."""
    mlflow.log_metrics(
        {
            "n": scores.n,
            "mase": scores.mase,
            "scrps": scores.scrps,
            "coverage_80": scores.coverage_80,
            "coverage_95": scores.coverage_95,
            "skill": skill(scores.scrps, naive.scrps),
            "relative_mae": scores.mase / naive.mase,
        }
    )
    by_step = {
        "mase_by_step": scores.mase_by_step,
        "scrps_by_step": scores.scrps_by_step,
        "coverage_80_by_step": scores.coverage_80_by_step,
        "coverage_95_by_step": scores.coverage_95_by_step,
    }
    log_steps((name, value, step) for name, values in by_step.items() for step, value in enumerate(values, start=1))
    mlflow.log_text(json.dumps({**asdict(scores), "losses": scores.losses.tolist()}) + "\n", SCORES)


def log_pictures(fan: Figure, scores: Scores, naive: Scores, epochs: Sequence[Epoch]) -> None:
    """Draw the forecasts, the calibration, the skill by step and the curves."""
    drawn = {
        "fan.png": fan,
        "calibration.png": pictures.calibration(scores),
        "skill_by_step.png": pictures.skill_by_step(scores, naive),
    }
    if epochs:
        drawn["curves.png"] = pictures.curves(scores.family, epochs)
    for name, figure in drawn.items():
        mlflow.log_figure(figure, f"pictures/{name}")


def log_comparison(rows: Mapping[str, Metrics]) -> None:
    """Write the table of all families."""
    mlflow.log_dict({name: asdict(found) for name, found in rows.items()}, "comparison.json")


def read_scores(run_id: str) -> Scores | None:
    """Return what a run of the same code scored; None where the run does not hold it."""
    if SCORES not in {item.path for item in MlflowClient().list_artifacts(run_id)}:
        return None
    content = json.loads(mlflow.artifacts.load_text(f"runs:/{run_id}/{SCORES}"))
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
    }
    return Scores(**{**values, "losses": np.array(values["losses"], dtype=np.float64)})


def log_steps(values: Iterable[tuple[str, float, int]]) -> None:
    """Write series of metrics in one request."""
    now = int(time.time() * 1000)
    metrics = [Metric(name, value, now, step) for name, value, step in values]
    run = mlflow.active_run()
    if metrics and run:
        MlflowClient().log_batch(run.info.run_id, metrics=metrics)


def log_skip(reason: str) -> None:
    """Write why a family could not be trained."""
    mlflow.set_tag("skipped", reason)


def log_quality(findings: Sequence[Mapping[str, str | int]]) -> None:
    """Write what is wrong with the bars, by symbol."""
    mlflow.log_dict({"findings": list(findings)}, "quality.json")
