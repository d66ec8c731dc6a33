"""What a backtest writes to its MLflow run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import mlflow
import numpy as np

from forecasting.backtest.metrics import METRICS
from forecasting.backtest.run import BacktestResult
from forecasting.training.tracking import log_quality, log_steps


def log_backtest(
    trial: BacktestResult,
    about: Mapping[str, str | int | bool],
    findings: Sequence[Mapping[str, str | int]],
    report: Path,
) -> None:
    """Write a backtest: how it was made, its figures by model and step, its report."""
    mlflow.log_params(dict(about))
    mlflow.log_artifact(str(report))
    log_quality(findings)
    mlflow.log_text(trial.scores.to_csv(index=False), "scores_by_symbol.csv")
    mlflow.log_text(trial.verdicts.to_csv(index=False), "verdicts.csv")
    names = (*METRICS, "skill", "relative_mae")
    log_steps(
        (f"{row['model'].replace(' ', '_')}.{name}", float(row[name]), int(row["step"]))
        for _, row in trial.summary.iterrows()
        for name in names
        if np.isfinite(row[name])
    )
