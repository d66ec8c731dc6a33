"""Aliases move, MLflow goes away, versions do not load: what is at work meanwhile."""

import pytest

from forecasting.modelstore.registry import ModelsAway, NoModel
from forecasting.serving.loaded_models import ModelWatcher
from forecasting.settings import ServeSettings
from tests.support.memory_log import Model


class Registry:
    """A model registry in memory."""

    name = "stock-forecaster"

    def __init__(self, **aliases):
        self.moved = aliases
        self.away = False
        self.broken = set()
        self.loaded = []

    def aliases(self):
        if self.away:
            raise ModelsAway("MLflow does not answer")
        return dict(self.moved)

    def load(self, version):
        self.loaded.append(version)
        if version in self.broken:
            raise NoModel(f"version {version} has no artifacts")
        return Model(version, {"1": "naive", "2": "arima"}.get(version, "lstm"))


def watch(**aliases):
    registry = Registry(**aliases)
    return registry, ModelWatcher(ServeSettings(), registry)


def test_watch_before_any_version_is_registered_says_so():
    _, models = watch()
    models.refresh()
    assert not models.complete
    assert models.waiting_for == "no model is loaded yet: stock-forecaster has no version with an alias"


def test_watch_loads_each_version_once_and_warms_it():
    registry, models = watch(champion="1", naive="1", arima="2")
    models.refresh()
    models.refresh()
    assert models.complete
    assert sorted(registry.loaded) == ["1", "2"]
    assert models.loaded.roles == {"1": "CHAMPION", "2": "SHADOW"}
    assert models.loaded.models["arima"].calls == [["WARM"]]


def test_new_champion_is_taken_up_and_what_stays_is_not_loaded_again():
    registry, models = watch(champion="1", naive="1")
    models.refresh()
    before = models.loaded
    registry.moved |= {"champion": "2", "arima": "2"}
    models.refresh()
    assert models.loaded.roles == {"2": "CHAMPION", "1": "SHADOW"}
    assert registry.loaded == ["1", "2"]
    assert before.roles == {"1": "CHAMPION"}, "a set of models in use never changes"


def test_version_that_does_not_load_leaves_the_old_one_at_work():
    registry, models = watch(champion="1", naive="1")
    models.refresh()
    registry.broken = {"2"}
    registry.moved |= {"champion": "2"}
    models.refresh()
    models.refresh()
    assert models.loaded.champion.version == "1"
    assert "version 2 has no artifacts" in models.failures["2"]
    assert registry.loaded.count("2") == 1, "not tried again at once"
    registry.moved |= {"champion": "1"}
    models.refresh()
    assert models.failures == {}


def test_mlflow_away_leaves_what_is_loaded_at_work():
    registry, models = watch(champion="1")
    models.refresh()
    registry.away = True
    with pytest.raises(ModelsAway):
        models.refresh()
    assert models.loaded.champion.version == "1"
