"""Which decision put the model there that made a forecast.  Pure."""

from collections.abc import Iterable, Mapping
from typing import Any


def moved_alias(decision: Mapping[str, Any]) -> bool:
    """Tell whether a decision moved its alias; those that say nothing of it did."""
    return decision.get("outcome") in (None, "MOVED")


def promotion_behind(forecast: Mapping[str, Any], decisions: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the decision by which a forecast's version had its role when it forecast.

    Args:
        decisions: newest first, as the read model holds them.

    Returns:
        The newest move of the role's alias to the version before the forecast was issued; failing that, the first
        move of any alias to it; None where the log names none.
    """
    model = forecast["model"]
    alias = "champion" if model["role"] == "CHAMPION" else model["family"]
    moves = [each for each in decisions if each["version"] == model["version"] and moved_alias(each)]
    before = [each for each in moves if each["alias"] == alias and each["decided_at"] <= forecast["issued_at"]]
    return before[0] if before else moves[-1] if moves else None
