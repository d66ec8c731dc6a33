"""The MLflow tracking server and model registry."""

import sys
from importlib.metadata import version
from pathlib import Path

from stack.layout import HOST, Layout
from stack.services import health
from stack.services.migrations import migrate_once
from stack.services.service import Service


def mlflow_service(layout: Layout) -> Service:
    """Return the server: one worker, SQLite, and artifacts through its own proxy."""
    data = layout.data / "mlflow"
    return Service(
        name="mlflow",
        group="servers",
        command=(
            *(sys.executable, "-P", "-m", "mlflow", "server", "--workers", "1"),
            *("--host", HOST, "--port", str(layout.port("mlflow"))),
            *("--backend-store-uri", "sqlite:///mlflow.db", "--serve-artifacts"),
            *("--artifacts-destination", "artifacts"),
        ),
        folder=data,
        environment={
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # it would start a dozen processes
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GIT_PYTHON_REFRESH": "quiet",
        },
        answers=health.http_probe(layout.url("mlflow", "/health")),
        ports=("mlflow",),
        url=layout.url("mlflow"),
        prepare=lambda: _prepare(layout, data),
    )


def _prepare(layout: Layout, data: Path) -> None:
    """Make the folders, and bring a database of an earlier MLflow to this one's form: the server would refuse it."""
    (data / "artifacts").mkdir(parents=True, exist_ok=True)
    command = (sys.executable, "-P", "-m", "mlflow", "db", "upgrade", "sqlite:///mlflow.db")
    database = data / "mlflow.db"
    if database.exists():  # the server makes one of its own form
        migrate_once(layout, "mlflow", f"mlflow {version('mlflow')}", command, folder=data, keep=database)
