"""Trainings that are ended from outside leave no MLflow run open: told to end, or killed and found by the next."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from forecasting.owners import this_process
from forecasting.registry import ModelRegistry
from forecasting.settings import ForecastingSettings
from tests.conftest import Isolated
from tests.integration.test_forecasting_training import named, publish_market
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.mlflow

ENDLESS = {"lstm": {"width": 8, "epochs": 1_000_000, "patience": 1_000_000}}


class Command:
    """A command of the forecasting part as a process of its own, and the runs of its experiment."""

    def __init__(self, settings: ForecastingSettings, folder: Path, module: str, *arguments: str) -> None:
        self.log = folder / f"{module}.log"
        self._settings = settings
        environment = os.environ | {
            "FORETICK_MODEL_NAME": settings.model_name,
            "FORETICK_EXPERIMENT": settings.experiment,
            "FORETICK_HOLDOUT_SESSIONS": "60",
            "FORETICK_FAMILY_PARAMETERS": json.dumps(ENDLESS),
            "FORETICK_HOME": str(folder),
        }
        command = (sys.executable, "-m", f"forecasting.{module}", *arguments)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def fits(self) -> None:
        """Wait until epochs are told of."""

        def told() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return "lstm: 2 of" in self.log.read_text()

        until(told, f"a network is fitted; the log: {self.log}")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE * 30)


@pytest.fixture
def settings(isolated: Isolated) -> ForecastingSettings:
    found = named("killed", isolated)
    publish_market(found)
    return found


@pytest.fixture
def training(settings: ForecastingSettings, tmp_path: Path) -> Iterator[Command]:
    command = Command(settings, tmp_path, "train", "--families", "lstm")
    command.fits()
    yield command
    command.end(signal.SIGKILL)


def runs(settings: ForecastingSettings) -> list[Run]:
    client = MlflowClient(settings.mlflow)
    experiment = client.get_experiment_by_name(settings.experiment)
    return list(client.search_runs([experiment.experiment_id]))


def states(settings: ForecastingSettings) -> dict[str, str]:
    return {str(run.info.run_name): run.info.status for run in runs(settings)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_training_told_to_end_in_a_fit_ends_its_runs_as_killed(
    settings: ForecastingSettings, training: Command, number: int
) -> None:
    code = training.end(number)

    assert states(settings) == {"training": "KILLED", "naive": "FINISHED", "lstm": "KILLED"}
    assert code == (-signal.SIGINT if number == signal.SIGINT else 128 + number)
    assert number == signal.SIGINT or "Traceback" not in training.log.read_text()
    assert ModelRegistry(settings).aliases() == {}


def test_runs_of_a_killed_training_are_closed_by_the_next_and_those_of_others_are_not(
    settings: ForecastingSettings, training: Command, tmp_path: Path
) -> None:
    registry, client = ModelRegistry(settings), MlflowClient(settings.mlflow)
    experiment = client.get_experiment_by_name(settings.experiment).experiment_id
    here = this_process().tags()
    elsewhere = {"gone elsewhere": here | {"process.host": "another machine", "process.pid": "1"}, "nobody's": {}}
    for name, tags in elsewhere.items():
        client.create_run(experiment, tags=tags, run_name=name)
    with registry.run("ours", {}):
        assert registry.close_abandoned() == []  # it is alive, and so are we
        training.end(signal.SIGKILL)
        assert states(settings)["lstm"] == "RUNNING"

        following = Command(settings, tmp_path, "train", "--families", "naive", "--register-only")

        assert following.process.wait(PATIENCE * 60) == 0, following.log.read_text()
        found = states(settings)
        assert (found["lstm"], found["ours"]) == ("KILLED", "RUNNING")
        assert [found[name] for name in elsewhere] == ["RUNNING", "RUNNING"]
        ended = {run.info.run_name for run in runs(settings) if run.info.status == "KILLED"}
        assert ended == {"training", "lstm"}
        assert all(run.info.end_time for run in runs(settings) if run.info.status == "KILLED")


@pytest.mark.parametrize("module", ["backtest", "reproduce"])
def test_command_that_fits_and_is_told_to_end_leaves_no_run_open(
    settings: ForecastingSettings, training: Command, tmp_path: Path, module: str
) -> None:
    training.end(signal.SIGTERM)
    run = next(run.info.run_id for run in runs(settings) if run.info.run_name == "lstm")
    asked = [run] if module == "reproduce" else ["--families", "lstm", "--sessions", "40"]
    command = Command(settings, tmp_path, module, *asked)
    command.fits()

    assert command.end(signal.SIGTERM) == 128 + signal.SIGTERM, command.log.read_text()
    assert "RUNNING" not in states(settings).values()
