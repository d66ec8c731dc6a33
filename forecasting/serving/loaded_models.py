"""The models at work: loaded, warmed and swapped in one step whenever an alias moves."""

import gc
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
import structlog
from mlflow.exceptions import MlflowException

from contracts.events import ModelPromoted
from contracts.measures import LEVELS
from contracts.parts import CHAMPION
from contracts.topics import MODEL_PROMOTIONS
from forecasting.data.windows import CONTEXT
from forecasting.models.families import FAMILIES
from forecasting.modelstore.registry import LoadedModel, ModelsAway, NoModel
from forecasting.serving.issue import Role, cast_roles
from forecasting.settings import ServeSettings
from streaming.errors import KafkaAway
from streaming.reader import Tail

log = structlog.get_logger()

_RETRY_SECONDS = 10.0  # before a version that did not load is tried again


class VersionSource(Protocol):
    """Where versions and aliases are registered."""

    name: str

    def aliases(self) -> dict[str, str]: ...

    def load(self, alias_or_version: str) -> LoadedModel: ...


@dataclass(frozen=True)
class LoadedModels:
    """The models at work, by alias.  Never changed: a new one takes its place."""

    models: Mapping[str, LoadedModel] = field(default_factory=dict)

    @property
    def champion(self) -> LoadedModel | None:
        """Return the model that users are shown."""
        return self.models.get(CHAMPION)

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Return the role of each version that forecasts, the champion first."""
        return cast_roles({alias: model.version for alias, model in self.models.items()}, FAMILIES)

    @cached_property
    def by_version(self) -> dict[str, LoadedModel]:
        """Return the models by version."""
        return {model.version: model for model in self.models.values()}

    def named(self, name: str) -> LoadedModel | None:
        """Return the model of an alias, a version or a family; the champion's family may have no alias of its own."""
        of_family = (model for model in self.models.values() if model.family == name)
        return self.models.get(name) or self.by_version.get(name) or next(of_family, None)


class ModelWatcher:
    """Keeps the models at work as the registry's aliases say.

    A promotion event wakes it; aliases are asked for every `alias_seconds` besides, for whoever moves one by hand.
    While MLflow is away, what is loaded goes on serving.
    """

    def __init__(self, settings: ServeSettings, models: VersionSource) -> None:
        self.loaded = LoadedModels()
        self.waiting_for = f"no model is loaded yet: {models.name} was not looked for"
        self.failures: dict[str, str] = {}  # version -> why it did not load
        self._settings = settings
        self._models = models
        self._tried: dict[str, float] = {}

    @property
    def complete(self) -> bool:
        """Tell whether all that the aliases named when last asked was loaded, or cannot be."""
        return bool(self.loaded.models) and not self.waiting_for

    def refresh(self) -> None:
        """Ask for the aliases, load what is new, and swap the models at work.

        Raises:
            ModelsAway: MLflow does not answer; the models at work stays.
        """
        aliases = self._models.aliases()
        wanted = {alias: aliases[alias] for alias in (CHAMPION, *FAMILIES) if alias in aliases}
        held = self.loaded
        versions = {version: held.by_version.get(version) or self._load(version) for version in set(wanted.values())}
        models = {
            alias: model
            for alias, version in wanted.items()
            # An alias whose new version does not load keeps the old one.
            if (model := versions[version] or held.models.get(alias)) is not None
        }
        if models != held.models:
            self.loaded = LoadedModels(models)
            freeze_heap()
            log.info("models at work", **{alias: f"{model.family} {model.version}" for alias, model in models.items()})
        self.failures = {version: why for version, why in self.failures.items() if version in wanted.values()}
        why = "; ".join(self.failures.values()) or f"{self._models.name} has no version with an alias"
        self.waiting_for = "" if models else f"no model is loaded yet: {why}"

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set."""
        tail: Tail | None = None
        try:
            while not stop.is_set():
                try:
                    self.refresh()
                except ModelsAway as error:
                    if self.waiting_for != str(error):
                        log.warning("cannot look for models now", reason=str(error))
                    self.waiting_for = str(error)
                tail = tail or self._tail()
                self._await_news(tail, stop)
        finally:
            if tail is not None:
                tail.close()

    def _await_news(self, tail: Tail | None, stop: threading.Event) -> None:
        if tail is None:
            stop.wait(self._settings.alias_seconds)
            return
        for record in tail.poll(self._settings.alias_seconds):
            if isinstance(record.event, ModelPromoted):
                log.info("promotion seen", alias=record.event.alias, version=record.event.version)
        if not self.loaded.models:
            stop.wait(0.05)  # the log may be full of old promotions of other models

    def _tail(self) -> Tail | None:
        try:
            return Tail(self._settings, [MODEL_PROMOTIONS])
        except KafkaAway as error:
            log.info("promotions cannot be followed yet", reason=str(error))
            return None

    def _load(self, version: str) -> LoadedModel | None:
        """Load and warm a version; None if it cannot be, with the reason kept."""
        now = time.monotonic()
        if now - self._tried.get(version, -_RETRY_SECONDS) < _RETRY_SECONDS:
            return None
        started = time.perf_counter()
        try:
            model = self._models.load(version)
            model.predict(warm_up_frame(), self._settings.horizon, LEVELS)
        except (NoModel, MlflowException, ValueError) as error:  # the last: it does not forecast
            self._tried[version] = now
            self.failures[version] = f"version {version} does not load: {type(error).__name__}: {error}"
            log.error("a version does not load", version=version, error=str(error))
            return None
        self._tried.pop(version, None)
        self.failures.pop(version, None)
        log.info("loaded", version=version, family=model.family, seconds=round(time.perf_counter() - started, 3))
        return model


def freeze_heap() -> None:
    """Let the collector pass over what will live long: to look through libraries and models takes it half a second."""
    gc.unfreeze()  # the models before, too
    gc.collect()
    gc.freeze()


def warm_up_frame() -> pd.DataFrame:
    """Return a frame that every family can forecast, so that the first real one finds everything compiled."""
    closes = 100.0 * np.exp(0.01 * np.sin(np.arange(2 * CONTEXT)))
    return pd.DataFrame(
        {
            "unique_id": "WARM",
            "ds": pd.date_range("2011-01-03 21:00", periods=len(closes), freq="D"),
            "y": closes,
            "high": closes * 1.01,
            "low": closes * 0.99,
        }
    )
