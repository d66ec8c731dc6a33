"""Families small enough for tests: networks that are fitted in a second."""

from forecasting.models.base import Estimator
from forecasting.models.families import family

MEMBERS = {"lstm": {"width": 8, "epochs": 2}, "transformer": {"width": 8, "epochs": 2, "heads": 2, "blocks": 1}}
SMALL = MEMBERS | {"ensemble": {"members": ["naive", "arima", "lstm"], "overrides": MEMBERS}}


def made(name: str) -> Estimator:
    """Return an estimator that is not fitted yet."""
    return family(name)(**SMALL.get(name, {}))
