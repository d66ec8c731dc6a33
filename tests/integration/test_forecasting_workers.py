"""ARIMA over many symbols on one worker, on several processes and on a real Dask cluster: the same to the bit."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pandas as pd
import psutil
import pytest
from distributed import LocalCluster

from forecasting.models.arima import Arima
from forecasting.settings import ForecastingSettings
from forecasting.training.workers import WorkersAway, workers
from tests.support.markets import market
from tests.support.supervised import ended
from tests.support.waiting import PATIENCE, until

SYMBOLS = 40
FITTING = """
from forecasting.modelstore.signals import terminated_by_signals
from forecasting.models.arima import Arima
from forecasting.settings import ForecastingSettings
from forecasting.training.workers import workers
from tests.support.markets import market

frame = market(400, 900)
with terminated_by_signals(), workers(ForecastingSettings(training_workers=2)):
    Arima().fit(frame, lambda epoch: print("fitting", flush=True) if epoch.number == 20 else None)
"""


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return market(SYMBOLS, 200, seed=2)


@pytest.fixture(scope="module")
def alone(frame: pd.DataFrame) -> Arima:
    with workers(ForecastingSettings(training_workers=1)):
        return Arima().fit(frame)


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """Start a scheduler and two workers, each a process of its own."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        worker_dashboard_address=None,
    ) as cluster:
        yield cluster


def test_arima_on_several_processes_learns_the_same_to_the_bit(frame: pd.DataFrame, alone: Arima) -> None:
    heard: list[int] = []

    with workers(ForecastingSettings(training_workers=2)):
        spread = Arima().fit(frame, lambda epoch: heard.append(epoch.number))

    assert spread.learned() == alone.learned()
    assert heard == list(range(1, SYMBOLS + 1))


def test_arima_on_a_dask_cluster_learns_the_same_to_the_bit(
    frame: pd.DataFrame, alone: Arima, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_DASK_SCHEDULER", cluster.scheduler_address)

    with workers(ForecastingSettings()):
        spread = Arima().fit(frame)

    assert spread.learned() == alone.learned()
    done = [moved for moved in cluster.scheduler.transition_log if moved[1:3] == ("processing", "memory")]
    assert len(done) >= SYMBOLS // 16, "the cluster did the work"


def test_workers_of_a_scheduler_that_is_not_there_are_told_to_be_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecasting.training.workers._CONNECT_SECONDS", 1.0)

    with (
        pytest.raises(WorkersAway, match=r"no Dask scheduler answers at tcp://127.0.0.1:9"),
        workers(ForecastingSettings(dask_scheduler="tcp://127.0.0.1:9")),
    ):
        raise AssertionError("it went on without workers")


def test_workers_of_a_cluster_without_dask_installed_are_told_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    with (
        pytest.raises(WorkersAway, match=r"not installed: install requirements/dask.txt"),
        workers(ForecastingSettings(dask_scheduler="tcp://127.0.0.1:9")),
    ):
        raise AssertionError("it went on without workers")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_of_a_training_that_is_ended_end_with_it(number: int) -> None:
    training = subprocess.Popen([sys.executable, "-c", FITTING], stdout=subprocess.PIPE, text=True)
    assert training.stdout is not None
    assert training.stdout.readline() == "fitting\n"
    children = psutil.Process(training.pid).children(recursive=True)
    assert len(children) >= 2

    training.send_signal(number)

    assert training.wait(PATIENCE * 30) in (128 + number, -number)
    until(lambda: all(map(ended, children)), "its workers have ended")
    training.stdout.close()
