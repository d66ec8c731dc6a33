"""The workflows as Airflow itself reads them, in Airflow's own environment."""

import json
import os
import subprocess
from typing import Any

import pytest

from forecasting.models.families import FAMILIES
from stack.layout import PROJECT, Layout

READ = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder="dags")
def told(task):
    inner = getattr(task, "op_kwargs_expand_input", None)
    return {
        "after": sorted(task.upstream_task_ids),
        "retries": task.retries,
        "mapped": inner.value.get("families") if inner else None,
    }
print("@" + json.dumps({
    "errors": {str(key): str(value) for key, value in bag.import_errors.items()},
    "dags": {
        name: {
            "tasks": {task.task_id: told(task) for task in dag.tasks},
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "cron": dag.timetable.expression if hasattr(dag.timetable, "expression") else dag.timetable.cron,
        }
        for name, dag in bag.dags.items()
    },
}))
"""
DAILY, NIGHTLY, WEEKLY, OFTEN = "0 0 * * *", "0 2 * * *", "0 3 * * 6", "*/10 * * * *"


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("airflow")
    python = Layout(home=home, cache=home).airflow_python
    assert python.exists(), "Airflow's environment is missing: `make test` installs it"
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    command = (str(python), "-c", READ)
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("@"))
    found: dict[str, Any] = json.loads(line[1:])
    assert found["errors"] == {}
    return found["dags"]


def test_workflows_run_by_the_clock_one_at_a_time_and_are_never_made_up_for(read):
    assert {name: dag["cron"] for name, dag in read.items()} == {
        "train_stock_model": DAILY,
        "verify_read_models": NIGHTLY,
        "backfill_bars": WEEKLY,
        "retrain_on_drift": OFTEN,
    }
    assert {dag["max_active_runs"] for dag in read.values()} == {1}
    assert {dag["catchup"] for dag in read.values()} == {False}


def test_training_decides_once_all_families_have_trained_on_the_frozen_offsets(read):
    tasks = read["train_stock_model"]["tasks"]
    assert {name: task["after"] for name, task in tasks.items()} == {
        "freeze": [],
        "train": ["freeze"],
        "backtest": ["freeze", "train"],
        "decide": ["backtest", "freeze"],
        "announce": ["decide", "train"],
    }
    assert all(task["retries"] >= 1 for task in tasks.values())


def test_training_of_mapped_tasks_covers_each_family_once(read):
    together = read["train_stock_model"]["tasks"]["train"]["mapped"]
    assert sorted(name for names in together for name in names.split(",")) == sorted(FAMILIES)


def test_verification_that_finds_a_difference_is_not_retried(read):
    assert [task["retries"] for task in read["verify_read_models"]["tasks"].values()] == [0]


def test_retraining_follows_a_look_at_the_alarms(read):
    tasks = read["retrain_on_drift"]["tasks"]
    assert {name: task["after"] for name, task in tasks.items()} == {"look": [], "retrain": ["look"]}
