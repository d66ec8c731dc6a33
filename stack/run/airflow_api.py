"""Speak to Airflow's REST API: start a workflow, and see how it goes."""

import time
from dataclasses import dataclass
from typing import Any

from stack.layout import Layout
from stack.services.airflow import AIRFLOW_USER, airflow_password
from stack.services.http import ServiceAway, get_json

TRAINING = "train_stock_model"
_UNFINISHED = {"queued", "running"}
_SECONDS = 60.0


class WorkflowFailed(Exception):
    """A workflow did not end well, or Airflow does not do what it is asked; the text says why, or where its log is."""


@dataclass(frozen=True, slots=True)
class WorkflowProgress:
    """Say how far a run is."""

    state: str
    tasks: dict[str, str]  # task id -> state

    @property
    def finished(self) -> bool:
        return self.state not in _UNFINISHED

    def describe(self) -> str:
        """Return one line for a screen."""
        return "   ".join(f"{task}: {state}" for task, state in self.tasks.items())


class Airflow:
    """A logged-in session with the Airflow of one stack."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._token = ""
        answer = self._call("POST", "/auth/token", {"username": AIRFLOW_USER, "password": airflow_password(layout)})
        self._token = answer["access_token"]

    def trigger(self, workflow: str, patience: float = 90.0) -> str:
        """Unpause a workflow and run it, or join the run that is under way; return the run's id.

        Raises:
            WorkflowFailed: Airflow does not know the workflow within `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while not self._known(workflow):
            if time.monotonic() > deadline:
                errors = self._call("GET", "/api/v2/importErrors")["import_errors"]
                raise WorkflowFailed(f"Airflow did not find {workflow} in dags/: {errors or 'no import errors'}")
            time.sleep(1)
        self.unpause(workflow)
        for run, state in self.runs(workflow).items():
            if state in _UNFINISHED:
                return run
        return str(self._call("POST", f"/api/v2/dags/{workflow}/dagRuns", {"logical_date": None})["dag_run_id"])

    def runs(self, workflow: str) -> dict[str, str]:
        """Return the newest runs of a workflow by id, newest first, and their states."""
        found = self._call("GET", f"/api/v2/dags/{workflow}/dagRuns?order_by=-run_after&limit=5")["dag_runs"]
        return {str(run["dag_run_id"]): str(run["state"]) for run in found}

    def progress(self, workflow: str, run: str) -> WorkflowProgress:
        """Return the state of a run and its tasks."""
        path = f"/api/v2/dags/{workflow}/dagRuns/{run}"
        tasks = self._call("GET", f"{path}/taskInstances")["task_instances"]
        ordered = sorted(tasks, key=lambda task: (task["start_date"] is None, task["start_date"] or ""))
        return WorkflowProgress(
            state=self._call("GET", path)["state"],
            tasks={_label(task): task["state"] or "waiting" for task in ordered},
        )

    def unpause(self, workflow: str) -> None:
        """Let a workflow's schedule start it."""
        self._call("PATCH", f"/api/v2/dags/{workflow}", {"is_paused": False})

    def workflows(self) -> dict[str, bool]:
        """Return all workflows that Airflow has read from dags/, and whether each is paused."""
        return {found["dag_id"]: found["is_paused"] for found in self._call("GET", "/api/v2/dags")["dags"]}

    def log_folder(self, workflow: str, run: str) -> str:
        """Return the folder that holds a run's task logs."""
        return str(self._layout.logs / "airflow" / f"dag_id={workflow}" / f"run_id={run}")

    def _known(self, workflow: str) -> bool:
        try:
            get_json(self._layout.url("airflow", f"/api/v2/dags/{workflow}"), token=self._token, timeout=_SECONDS)
        except ServiceAway as error:
            if error.status == 404:
                return False
            raise WorkflowFailed(f"Airflow: {error}") from error
        return True

    def _call(self, method: str, path: str, body: object = None) -> Any:
        try:
            return get_json(self._layout.url("airflow", path), method, body, _SECONDS, self._token)
        except ServiceAway as error:
            raise WorkflowFailed(f"Airflow: {error}") from error


def _label(task: dict[str, Any]) -> str:
    """Name a task; of mapped ones, which."""
    if task.get("map_index", -1) < 0:
        return str(task["task_id"])
    return f"{task['task_id']} {task.get('rendered_map_index') or task['map_index']}"
