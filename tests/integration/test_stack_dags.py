"""The workflows as Airflow itself reads them, in Airflow's own environment."""

import json
import os
import subprocess
from pathlib import Path
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
RUN = """
from airflow.dag_processing.dagbag import DagBag
run = DagBag(dag_folder="dags/train_stock_model.py").dags["train_stock_model"].test()
print("@", run.state, *sorted(f"{each.task_id}={each.state}" for each in run.get_task_instances()))
"""
# Stands in for the command: what it is asked for goes into a file, and it answers what Airflow goes on with.
COMMAND = """#!/bin/sh
echo "$@" >> "$0.called"
case "$*" in
  *--freeze*) echo '{"stock-data":{"0":[0,5]}}' ;;
  *--shares*) echo '%s' ;;
  *--register-only*) echo '{"naive": "1"}' ;;
esac
"""
DAILY, NIGHTLY, WEEKLY, OFTEN = "0 0 * * *", "0 2 * * *", "0 3 * * 6", "*/10 * * * *"


def in_airflow(home: Path, *command: str, **settings: str) -> str:
    """Run Python in Airflow's own environment; return what it prints after an @."""
    python = Layout(home=home, cache=home).airflow_python
    assert python.exists(), "Airflow's environment is missing: `make test` installs it"
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    done = subprocess.run(
        (str(python), *command), cwd=PROJECT, env=environment | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return "".join(line[1:] for line in done.stdout.splitlines() if line.startswith("@"))


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(in_airflow(tmp_path_factory.mktemp("airflow"), "-c", READ))
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
        "shares": ["freeze"],
        "estimate": ["freeze", "shares"],
        "train": ["estimate", "freeze"],
        "judge": ["freeze", "shares", "train"],
        "backtest": ["freeze", "judge"],
        "decide": ["backtest", "freeze"],
        "announce": ["decide", "train"],
    }
    assert all(task["retries"] >= 1 for task in tasks.values())


def test_training_of_mapped_tasks_covers_each_family_once(read):
    together = read["train_stock_model"]["tasks"]["train"]["mapped"]
    assert sorted(name for names in together for name in names.split(",")) == sorted(FAMILIES)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home of Airflow's whose database knows the workflows."""
    home = tmp_path_factory.mktemp("running")
    for command in (("db", "migrate"), ("dags", "reserialize")):
        in_airflow(home, "-m", "airflow", *command)
    return home


def trained(home: Path, folder: Path, shares: list[str]) -> tuple[list[str], list[str]]:
    """Let Airflow run the training with a command that says so many shares; return states, and what was called."""
    command = folder / "foretick"
    command.write_text(COMMAND % json.dumps(shares))
    command.chmod(0o755)
    states = in_airflow(home, "-c", RUN, FORETICK_COMMAND=str(command)).split()
    return states, Path(f"{command}.called").read_text().splitlines()


def test_training_of_many_symbols_is_done_in_shares_before_the_families_and_before_the_backtest(
    airflow: Path, tmp_path: Path
) -> None:
    states, called = trained(airflow, tmp_path, ["1/2", "2/2"])

    assert states[0] == "success"
    assert {state.partition("=")[2] for state in states[1:]} == {"success"}
    data = """--as-of {"stock-data":{"0":[0,5]}}"""
    assert called[1] == f"train --shares {data}"
    assert sorted(called[2:4]) == [f"train --share {share} {data}" for share in ("1/2", "2/2")]
    assert all("--register-only" in line for line in called[4:8])
    assert sorted(called[8:10]) == [f"backtest --registered --share {share} {data}" for share in ("1/2", "2/2")]
    assert called[10:] == [f"backtest --if-needed --registered {data}", f"train --if-needed {data}"]


def test_training_of_a_few_symbols_has_no_shares(airflow: Path, tmp_path: Path) -> None:
    states, called = trained(airflow, tmp_path, [])

    assert {"success", "estimate=skipped", "judge=skipped", "decide=success", "announce=success"} <= set(states)
    assert not [line for line in called if "--share " in line]


def test_verification_that_finds_a_difference_is_not_retried(read):
    assert [task["retries"] for task in read["verify_read_models"]["tasks"].values()] == [0]


def test_retraining_follows_a_look_at_the_alarms(read):
    tasks = read["retrain_on_drift"]["tasks"]
    assert {name: task["after"] for name, task in tasks.items()} == {"look": [], "retrain": ["look"]}
