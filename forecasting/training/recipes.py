"""From the settings to what a training's outcome depends on beside data and code."""

from typing import Any

from forecasting.data.code_version import code_version
from forecasting.models.families import parameters_of
from forecasting.modelstore.recipe import Recipe
from forecasting.settings import ForecastingSettings


def recipe_of(settings: ForecastingSettings, name: str) -> Recipe:
    """Return a family's recipe."""
    return Recipe(
        family=name,
        parameters=parameters(settings, name),
        interval=settings.interval,
        exchange_calendar=settings.exchange_calendar,
        horizon=settings.horizon,
        holdout_sessions=settings.holdout_sessions,
    )


def parameters(settings: ForecastingSettings, name: str) -> dict[str, Any]:
    """Return a family's parameters: the settings' seed, threads and calendar where it has them, and the overrides."""
    shared: dict[str, Any] = {
        "seed": settings.seed,
        "threads": settings.threads,
        "exchange": settings.exchange_calendar,
        "overrides": {key: given for key, given in settings.family_parameters.items() if key != name},  # of members
    }
    return parameters_of(name, shared, settings.family_parameters.get(name, {}))


def tags_of(recipe: Recipe, sha256: str) -> dict[str, str]:
    """Return what makes a trained version the same as another: data, code, recipe."""
    return {
        "family": recipe.family,
        "training_sha256": sha256,
        "code_version": code_version(),
        "recipe": recipe.digest,
    }
