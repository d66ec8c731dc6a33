"""Adjusted prices, computed from corporate actions at read time (so they can be had as of any moment)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Split:
    """`ratio` new shares for one old share, from the session of `ex_date` on."""

    ex_date: date
    ratio: float


def newest_splits(actions: Iterable[Mapping[str, Any]]) -> tuple[Split, ...]:
    """Return one symbol's splits in order, from the records of its corporate actions.

    Of several revisions of an action the highest counts, in whatever order they come.
    """
    newest: dict[date, tuple[int, float]] = {}
    for action in actions:
        if action["kind"] != "SPLIT":
            continue
        day = action["ex_date"]
        revision = action["revision"]
        if day not in newest or revision > newest[day][0]:
            newest[day] = (revision, action["ratio"])
    return tuple(Split(day, ratio) for day, (_, ratio) in sorted(newest.items()))


def split_factor(splits: Iterable[Split], session: date, until: date) -> float:
    """Return how many shares of day `until` one share of day `session` has become.

    A raw price of `session` divided by it, and a volume times it, stands in the share terms of `until`.
    """
    factor = 1.0
    for split in splits:
        if session < split.ex_date <= until:
            factor *= split.ratio
    return factor
