"""Trainings that are ended from outside leave no MLflow run open: told to end, or killed and found by the next."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from forecasting.modelstore.process_identity import this_process
from forecasting.modelstore.registry import ModelRegistry
from forecasting.settings import ForecastingSettings
from tests.conftest import Isolated
from tests.integration.test_forecasting_training import named, publish_market
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.mlflow

ENDLESS = {"lstm": {"width": 8, "epochs": 1_000_000, "patience": 1_000_000}}


def hear() -> None:
    """Ignore no signal, though the tests themselves may be run in the background or by nohup."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Command:
    """A `foretick` command as a process of its own, and the runs of its experiment."""

    def __init__(self, settings: ForecastingSettings, folder: Path, name: str, *arguments: str) -> None:
        self.log = folder / f"{name}.log"
        self._settings = settings
        environment = os.environ | {
            "FORETICK_MODEL_NAME": settings.model_name,
            "FORETICK_EXPERIMENT": settings.experiment,
            "FORETICK_HOLDOUT_SESSIONS": "60",
            "FORETICK_FAMILY_PARAMETERS": json.dumps(ENDLESS),
            "FORETICK_HOME": str(folder),
            "FORETICK_CLOCK_URL": "",  # no exchange is here
        }
        command = (sys.executable, "-m", "stack", name, *arguments)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, preexec_fn=hear)

    def fits(self) -> None:
        """Wait until epochs are told of."""

        def told() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return "lstm: 2 of" in self.log.read_text()

        until(told, f"a network is fitted; the log: {self.log}")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE * 30)


@pytest.fixture(scope="module")
def log(isolated_module: Isolated) -> Isolated:
    """A corner of the servers with a market in its log."""
    publish_market(named("killed", isolated_module))
    return isolated_module


@pytest.fixture
def settings(log: Isolated) -> ForecastingSettings:
    """Settings of a model of one test's own, on the module's log."""
    return named(f"killed-{uuid.uuid4().hex}", log)


@pytest.fixture
def training(settings: ForecastingSettings, tmp_path: Path) -> Iterator[Command]:
    with fitting(settings, tmp_path, "train", "--families", "lstm") as command:
        yield command


@contextmanager
def fitting(settings: ForecastingSettings, folder: Path, name: str, *arguments: str) -> Iterator[Command]:
    """Run a command that fits a network until it is ended."""
    command = Command(settings, folder, name, *arguments)
    try:
        command.fits()
        yield command
    finally:
        command.end(signal.SIGKILL)


def runs(settings: ForecastingSettings) -> list[Run]:
    client = MlflowClient(settings.mlflow)
    experiment = client.get_experiment_by_name(settings.experiment)
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


def states(settings: ForecastingSettings) -> dict[str, str]:
    return {str(run.info.run_name): run.info.status for run in runs(settings)}


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_training_told_to_end_in_a_fit_ends_its_runs_as_killed(
    settings: ForecastingSettings, training: Command, number: int
) -> None:
    code = training.end(number)

    assert code == 128 + number
    assert "Traceback" not in training.log.read_text()
    assert_killed(settings)


def test_training_and_then_its_reproduction_told_to_end_leave_no_run_open(
    settings: ForecastingSettings, training: Command, tmp_path: Path
) -> None:
    assert_ends_when_told(training)
    assert_killed(settings)
    run = next(run.info.run_id for run in runs(settings) if run.info.run_name == "lstm")

    with fitting(settings, tmp_path, "reproduce", run) as reproduction:
        assert_ends_when_told(reproduction)

    assert_killed(settings)


def test_backtest_told_to_end_in_a_fit_leaves_no_run_open(settings: ForecastingSettings, tmp_path: Path) -> None:
    with fitting(settings, tmp_path, "backtest", "--families", "lstm", "--sessions", "40") as backtest:
        assert_ends_when_told(backtest)

    assert runs(settings) == []


def assert_ends_when_told(command: Command) -> None:
    assert command.end(signal.SIGTERM) == 128 + signal.SIGTERM, command.log.read_text()
    assert "Traceback" not in command.log.read_text()


def assert_killed(settings: ForecastingSettings) -> None:
    assert states(settings) == {"training": "KILLED", "naive": "FINISHED", "lstm": "KILLED"}
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
