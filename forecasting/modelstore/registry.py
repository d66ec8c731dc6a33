"""MLflow: runs of trainings, trained models as registered versions, and the aliases that say which one serves."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow import environment_variables as mlflow_options
from mlflow.exceptions import ERROR_CODE_TO_HTTP_STATUS, MlflowException, RestException
from mlflow.pyfunc import PyFuncModel
from requests import RequestException

from contracts.measures import LEVELS
from forecasting.data.code_version import code_version
from forecasting.models.base import HORIZON, Estimator
from forecasting.modelstore.killed_runs import close_abandoned, killed_if_terminated
from forecasting.modelstore.process_identity import this_process
from forecasting.modelstore.pyfunc import ARTIFACT, ForeignModel, open_estimator, pyfunc_of, signature
from forecasting.settings import ForecastingSettings
from streaming.errors import ServerAway

TRAINED_UNTIL = "trained_until"  # a version's tag: ISO 8601, UTC without a zone
_CODE = Path(__file__).with_name("model_code.py")
# What a version needs beside this project; TensorFlow only for the families that use it.
_PACKAGES = ("mlflow", "numpy", "pandas", "scipy", "exchange-calendars")
_NETWORK_PACKAGES = ("tensorflow-cpu", "keras")


class NoModel(LookupError):
    """No version, or no alias, of that name is registered."""


class Unloadable(NoModel):
    """A version is there, but this code cannot load it: other code made it."""


class ModelsAway(ServerAway):
    """MLflow does not answer."""


@dataclass(frozen=True, slots=True)
class Version:
    """A registered version: one trained model of one family, and what it was trained with."""

    version: str
    family: str
    run_id: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class LoadedModel:
    """A version ready to forecast.

    Attributes:
        trained_until: close of the last bar that its training saw, hold-out included; None where it is not tagged.
    """

    name: str
    version: str
    family: str
    run_id: str
    estimator: Estimator
    trained_until: datetime | None = None

    @property
    def min_history(self) -> int:
        """Return how many bars of a symbol it needs."""
        return self.estimator.min_history

    @cached_property
    def pyfunc(self) -> PyFuncModel:
        """Return it as MLflow's scoring server asks it."""
        return pyfunc_of(self.estimator)

    def predict(self, frame: pd.DataFrame, horizon: int = HORIZON, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Forecast every symbol of a long frame in one batch, through MLflow's signature.

        Raises:
            BadFrame, TooShort: as `Estimator.predict`; ask `lacking` first and leave those symbols out.
        """
        answer = self.pyfunc.predict(frame, params={"horizon": horizon, "levels": list(levels)})
        assert isinstance(answer, pd.DataFrame)
        return answer

    def lacking(self, frame: pd.DataFrame) -> dict[str, str]:
        """Say which symbols of a frame are too short for this model, and why."""
        return self.estimator.lacking(frame)


class ModelRegistry:
    """The registered model that the settings name, on the MLflow server that they name."""

    def __init__(self, settings: ForecastingSettings) -> None:
        self.name = settings.model_name
        self._uri = settings.mlflow
        self._experiment = settings.experiment
        _tame_mlflow()
        mlflow.set_tracking_uri(self._uri)
        mlflow.set_registry_uri(self._uri)
        self._client = MlflowClient(self._uri, self._uri)

    def aliases(self) -> dict[str, str]:
        """Return which version each alias points at; empty while nothing is registered.  One request.

        Raises:
            ModelsAway: MLflow does not answer.
        """
        try:
            with self.answering():
                found = self._client.get_registered_model(self.name)
        except NoModel:
            return {}
        return {alias: str(version) for alias, version in found.aliases.items()}

    def version(self, number: str) -> Version:
        """Return a registered version.

        Raises:
            NoModel: there is none of that number; ModelsAway: MLflow does not answer.
        """
        with self.answering():
            found = self._client.get_model_version(self.name, number)
        return Version(str(found.version), found.tags.get("family", ""), str(found.run_id), dict(found.tags))

    def versions(self) -> list[Version]:
        """Return all registered versions, newest first.

        Raises:
            ModelsAway: MLflow does not answer.
        """
        with self.answering():
            found = self._client.search_model_versions(f"name = '{self.name}'")
        made = [
            Version(str(each.version), each.tags.get("family", ""), str(each.run_id), dict(each.tags)) for each in found
        ]
        return sorted(made, key=lambda each: -int(each.version))

    def load(self, alias_or_version: str) -> LoadedModel:
        """Load a version by number or by alias (`champion`, `naive`, ...).

        Raises:
            NoModel: no such version or alias, or (Unloadable) one that other code made; ModelsAway: MLflow is away.
        """
        number = alias_or_version
        if not number.isdigit():
            aliases = self.aliases()
            if number not in aliases:
                raise NoModel(f"{self.name} has no alias {number!r}; it has {sorted(aliases) or 'none yet'}")
            number = aliases[number]
        found = self.version(number)
        with TemporaryDirectory(prefix="foretick-model-") as folder:
            with self.answering():
                local = mlflow.artifacts.download_artifacts(f"models:/{self.name}/{number}", dst_path=folder)
            try:
                # The estimator is in memory once loaded: nothing is read from the folder later.
                estimator = open_estimator(Path(local))
                if estimator.family != found.family:
                    raise ForeignModel(f"it is tagged as {found.family!r} and holds a model of {estimator.family}")
            except ForeignModel as error:
                made_by = found.tags.get("code_version", "unknown")
                raise Unloadable(
                    f"version {number} of {self.name} was made by code {made_by}, "
                    f"which this code ({code_version()}) cannot load: {error}"
                ) from error
        return LoadedModel(
            name=self.name,
            version=found.version,
            family=found.family,
            run_id=found.run_id,
            estimator=estimator,
            trained_until=_utc(found.tags.get(TRAINED_UNTIL)),
        )

    def find(self, wanted: Mapping[str, str]) -> Version | None:
        """Return the newest version that carries all of these tags."""
        conditions = [f"name = '{self.name}'", *(f"tags.`{key}` = '{value}'" for key, value in wanted.items())]
        with self.answering():
            found = self._client.search_model_versions(" and ".join(conditions))
        newest = max(found, key=lambda item: int(item.version), default=None)
        return self.version(str(newest.version)) if newest is not None else None

    def finished_runs(self, wanted: Mapping[str, str], most: int = 1000) -> list[str]:
        """Return the runs, newest first, that carry all of these tags and have ended well."""
        conditions = ["attributes.status = 'FINISHED'", *(f"tags.`{key}` = '{value}'" for key, value in wanted.items())]
        with self.answering():
            experiment = self._client.get_experiment_by_name(self._experiment)
            if experiment is None:
                return []
            found = self._client.search_runs([experiment.experiment_id], " and ".join(conditions), max_results=most)
        return [str(run.info.run_id) for run in found]

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str], *, nested: bool = False) -> Iterator[str]:
        """Open an MLflow run that names its process.

        One that an exception leaves is marked as failed; where that is the end that a signal asked for, as killed.
        """
        with self.answering():
            experiment = mlflow.set_experiment(self._experiment)
        owned = {**tags, **this_process().tags()}
        opened = mlflow.start_run(experiment_id=experiment.experiment_id, run_name=name, tags=owned, nested=nested)
        with opened as run, killed_if_terminated(run.info.run_id):
            yield str(run.info.run_id)

    def close_abandoned(self) -> list[str]:
        """End as killed the runs that processes left open which are gone; return their ids.

        Raises:
            ModelsAway: MLflow does not answer.
        """
        with self.answering():
            experiment = self._client.get_experiment_by_name(self._experiment)
            return close_abandoned(self._client, experiment.experiment_id) if experiment else []

    def log_model(self, estimator: Estimator, example: pd.DataFrame) -> str:
        """Log an estimator to the open run as a pyfunc without pickles; return its MLflow model id."""
        with TemporaryDirectory(prefix="foretick-model-") as folder, self.answering():
            estimator.save(Path(folder) / ARTIFACT)
            packages = _PACKAGES + (_NETWORK_PACKAGES if estimator.needs_network else ())
            logged = mlflow.pyfunc.log_model(
                name=estimator.family,
                python_model=str(_CODE),
                artifacts={ARTIFACT: str(Path(folder) / ARTIFACT)},
                signature=signature(),
                input_example=(example, {"horizon": HORIZON, "levels": list(LEVELS)}),
                pip_requirements=[f"{package}=={installed(package)}" for package in packages],
            )
        return str(logged.model_id)

    def register(self, model_id: str, run_id: str, tags: Mapping[str, str]) -> Version:
        """Register a logged model as a new version, its tags with it: there is no version without them."""
        with self.answering():
            try:
                self._client.create_registered_model(self.name)
            except RestException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            made = self._client.create_model_version(
                self.name, f"models:/{model_id}", run_id, tags=dict(tags), model_id=model_id
            )
        return Version(str(made.version), tags["family"], run_id, dict(tags))

    def point(self, alias: str, version: str) -> None:
        """Let an alias point at a version."""
        with self.answering():
            self._client.set_registered_model_alias(self.name, alias, version)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Tell an MLflow that is away from one that refuses."""
        try:
            yield
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                raise NoModel(
                    f"{self.name} at {self._uri}: {error.message}. What there is: {self._uri}/#/models/{self.name}"
                ) from error
            if isinstance(error, RestException) and ERROR_CODE_TO_HTTP_STATUS.get(error.error_code, 500) < 500:
                raise  # it answered: the request was wrong
            said = str(error.message).rpartition("[Errno")  # of a refused connection only the end tells something
            raise ModelsAway(f"MLflow at {self._uri} does not answer: {''.join(said[1:])}") from error
        except RequestException as error:  # MLflow lets those of artifacts through
            raise ModelsAway(f"MLflow at {self._uri} does not answer: {error}") from error


def _utc(stamp: str | None) -> datetime | None:
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC) if stamp else None


def _tame_mlflow() -> None:
    """Turn off what MLflow does unasked: minutes of retries, progress bars, links, copies of lock files."""
    options: dict[Any, int | bool] = {
        mlflow_options.MLFLOW_HTTP_REQUEST_MAX_RETRIES: 2,
        mlflow_options.MLFLOW_HTTP_REQUEST_TIMEOUT: 20,
        mlflow_options.MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: False,
        mlflow_options.MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT: True,
        mlflow_options.MLFLOW_UV_AUTO_DETECT: False,
        mlflow_options.MLFLOW_LOG_UV_FILES: False,
    }
    for option, value in options.items():
        option.set(value)
