"""Trainings and backtests in one process, in several, on a real Dask cluster and in shares: the same to the bit."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import LocalCluster

from forecasting.backtest.origins import rolling_splits
from forecasting.backtest.run import Backtest
from forecasting.models.families import FAMILIES
from forecasting.models.tasks import Share, Task, results_kept, results_of
from forecasting.settings import ForecastingSettings
from forecasting.training.workers import WorkersAway, workers
from tests.support.estimators import made
from tests.support.markets import market
from tests.support.supervised import ended
from tests.support.waiting import PATIENCE, until

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
    return market(40, 200, seed=2)


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


def everywhere(cluster: LocalCluster, work: Callable[[], list[Task]], whole: Callable[[], bytes]) -> dict[str, bytes]:
    """Return what `whole` gives in one process, in two, on the cluster, and where others did shares of its tasks."""
    found, shared = {}, dict[str, bytes]()
    here = {"dask_scheduler": ""}
    for place, given in {
        "one process": here | {"training_workers": 1},
        "two processes": here | {"training_workers": 2},
        "a cluster": {"dask_scheduler": cluster.scheduler_address},
    }.items():
        with workers(ForecastingSettings(**given)):
            found[place] = whole()
    for number in (1, 2, 3):
        with workers(ForecastingSettings(**here, training_workers=1)), results_kept({}):
            tasks = Share(number, 3).taken_from(work())
            shared |= zip((task.key for task in tasks), results_of(tasks), strict=True)
    before = len(shared)
    with workers(ForecastingSettings(**here)), results_kept(shared):
        found["shares"] = whole()
    assert len(shared) == before == len({task.key for task in work()}), "nothing was left to do"
    return found


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_learns_the_same_to_the_bit_wherever_its_tasks_are_done(
    name: str, frame: pd.DataFrame, cluster: LocalCluster, tmp_path: Path
) -> None:
    def learned() -> bytes:
        made(name).fit(frame).save(tmp_path)
        return b"".join(path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file())

    found = everywhere(cluster, lambda: made(name).tasks(frame), learned)

    assert dict.fromkeys(found, found["one process"]) == found
    done = [moved for moved in cluster.scheduler.transition_log if moved[1:3] == ("processing", "memory")]
    assert bool(done) == (name in ("arima", "ensemble")), "the cluster did what stands alone"


def test_arima_tells_of_each_symbol_that_its_workers_are_done_with(frame: pd.DataFrame) -> None:
    heard: list[int] = []

    with workers(ForecastingSettings(training_workers=2)):
        made("arima").fit(frame, lambda epoch: heard.append(epoch.number))

    assert heard == list(range(1, 41))


def test_backtest_of_all_families_is_the_same_to_the_bit_wherever_its_tasks_are_done(
    frame: pd.DataFrame, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasting.backtest.run.SYMBOLS_AT_ONCE", 9)
    splits = rolling_splits(np.unique(frame["ds"].to_numpy(dtype="datetime64[ns]")), 20, 5)
    fitted = {name: made(name).fit(splits[0].learnable(frame)) for name in FAMILIES}
    makers = {name: lambda _, model=model: model for name, model in fitted.items()}
    backtest = Backtest(frame=frame, splits=splits, makers=makers, horizon=3, exchange="XNYS")

    found = everywhere(cluster, backtest.tasks, lambda: b"".join(results_of(backtest.tasks())))

    assert dict.fromkeys(found, found["one process"]) == found
    assert len(found["shares"]) > 10_000


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
