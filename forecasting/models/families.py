"""The table of model families; adding one is a line here.

A family is imported when it is asked for: serving a random walk needs no TensorFlow.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

from forecasting.models.base import PARAMETERS_FILE, Estimator

FAMILIES = {
    "naive": "forecasting.models.naive:Naive",
    "arima": "forecasting.models.arima:Arima",
    "lstm": "forecasting.models.lstm:Lstm",
    "transformer": "forecasting.models.transformer:Transformer",
    "ensemble": "forecasting.models.ensemble:Ensemble",
}


def family(name: str) -> type[Estimator]:
    """Return a family's class.

    Raises:
        KeyError: no such family; the text lists those there are.
    """
    if name not in FAMILIES:
        raise KeyError(f"no model family {name!r}; there are {', '.join(FAMILIES)}")
    module, _, cls = FAMILIES[name].partition(":")
    found: type[Estimator] = getattr(import_module(module), cls)
    return found


def parameters_of(name: str, shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a family's parameters: its own, and of those that all share the ones that it has.

    Raises:
        ValueError: it has no parameter of such a name.
    """
    known = {field.name for field in fields(family(name))}
    if unknown := set(own) - known:
        raise ValueError(f"{name} has no parameter {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}")
    return {key: value for key, value in shared.items() if key in known} | dict(own)


def load_estimator(folder: Path) -> Estimator:
    """Read a saved model of whatever family."""
    content = json.loads((folder / PARAMETERS_FILE).read_text(encoding="utf-8"))
    return family(content["family"]).load(folder)
