"""Results that others made beforehand, each of them a share of some work's tasks: a run in MLflow with a file."""

from collections.abc import Mapping
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import mlflow

from forecasting.models.tasks import Share
from forecasting.modelstore.registry import ModelRegistry

_FILE = "results.zip"


def share_done(registry: ModelRegistry, work: str, share: Share) -> bool:
    """Tell whether MLflow has the results of a share."""
    return bool(registry.finished_runs(_tags(work, share), most=1))


def log_share(registry: ModelRegistry, work: str, share: Share, results: Mapping[str, bytes]) -> None:
    """Keep what came of a share of some work, by the tasks' keys.

    Raises:
        ModelsAway: MLflow does not answer.
    """
    with registry.answering(), registry.run(f"share {share}", _tags(work, share)), TemporaryDirectory() as folder:
        path = f"{folder}/{_FILE}"
        with ZipFile(path, "w") as file:
            for key, result in results.items():
                file.writestr(key, result)
        mlflow.log_artifact(path)


def read_shares(registry: ModelRegistry, work: str) -> dict[str, bytes]:
    """Return all results that are there of some work; nothing where nobody has shared it.

    Raises:
        ModelsAway: MLflow does not answer.
    """
    found: dict[str, bytes] = {}
    for run_id in registry.finished_runs({"kind": "share", "work": work}):
        with TemporaryDirectory() as folder, registry.answering():
            path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=_FILE, dst_path=folder)
            with ZipFile(path) as file:
                found |= {name: file.read(name) for name in file.namelist()}
    return found


def _tags(work: str, share: Share) -> dict[str, str]:
    return {"kind": "share", "work": work, "share": str(share)}
