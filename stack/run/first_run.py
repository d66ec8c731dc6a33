"""What follows once all processes answer: history flows in, the random walk forecasts, the first models are trained."""

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

from rich.console import Console

from stack.layout import Layout
from stack.run.airflow_api import TRAINING, Airflow, WorkflowFailed
from stack.run.training_log import StageLog, airflow_lines
from stack.services.http import ServiceAway, get_json, waiting_reasons

FIRST_FAMILY = "naive"
_PERIOD = 0.5
_SHOWN = 12  # lines of a failed training's log


def aliases_at_work(layout: Layout) -> set[str]:
    """Return the aliases of MLflow's registered model: `champion`, and each family that has a version."""
    from forecasting.settings import ForecastingSettings  # which model is this project's, the user may have said

    query = urlencode({"name": ForecastingSettings().model_name})
    try:
        model = get_json(layout.url("mlflow", f"/api/2.0/mlflow/registered-models/get?{query}"))["registered_model"]
    except ServiceAway as error:
        if error.status == 404:  # no such model
            return set()
        raise
    return {each["alias"] for each in model.get("aliases", ())}


def train_random_walk(layout: Layout, console: Console) -> None:
    """Have the random walk forecast from the first bar on: it takes seconds. Raises WorkflowFailed."""
    _train(layout, console, "the random walk forecasts until there are better models", "--families", FIRST_FAMILY)


def train_by_airflow(layout: Layout, console: Console) -> None:
    """Let Airflow train the first models, and show how far it is. Raises WorkflowFailed."""
    airflow = Airflow(layout)
    run = airflow.trigger(TRAINING)
    folder = Path(airflow.log_folder(TRAINING, run))
    shown = StageLog(console, "Airflow trains the first models")
    with shown:
        while not (progress := airflow.progress(TRAINING, run)).finished:
            shown.take(airflow_lines(folder))
            shown.note(progress.describe())
            time.sleep(_PERIOD)
        shown.take(airflow_lines(folder))
    if progress.state != "success":
        raise WorkflowFailed(
            f"The training did not succeed ({progress.describe()}). Its logs: {folder}. They end:\n"
            + "\n".join(airflow_lines(folder)[-_SHOWN:])
            + "\nEverything else runs; try again with `foretick train`."
        )


def schedule_workflows(layout: Layout) -> None:
    """Let the schedules of all workflows run."""
    airflow = Airflow(layout)
    for workflow, paused in airflow.workflows().items():
        if paused:
            airflow.unpause(workflow)


def train_directly(layout: Layout, console: Console) -> None:
    """Train the first models without Airflow. Raises WorkflowFailed."""
    _train(layout, console, "training the first models")


def _train(layout: Layout, console: Console, title: str, *arguments: str) -> None:
    command = (sys.executable, "-m", "stack", "train", *arguments)
    with StageLog(console, title) as shown, layout.log("training").open("a") as log:
        process = subprocess.Popen(
            command,
            env=os.environ | {"FORETICK_PROGRESS": "json"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            shown.take([line.rstrip("\n")])
        code = process.wait()
    if code:
        raise WorkflowFailed(
            f"The training ended with code {code}; its output: {layout.log('training')}. "
            "Everything else runs; try again with `foretick train`."
        )


def await_forecasting(layout: Layout, console: Console, patience: float = 120.0) -> None:
    """Wait until the forecasting service has loaded its models. Raises WorkflowFailed."""
    deadline = time.monotonic() + patience
    with console.status("the forecasting service loads its models"):
        while why := waiting_reasons(layout.url("forecasting", "/health/ready")):
            if time.monotonic() > deadline:
                raise WorkflowFailed(f"The forecasting service does not serve after {patience:.0f} s: {why}")
            time.sleep(_PERIOD)


def start_clock(layout: Layout) -> None:
    """Let the replay exchange's market run."""
    get_json(layout.url("exchange", "/clock"), "PUT", {"running": True})
