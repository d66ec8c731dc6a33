"""Histories to forecast from: checked, adjusted for splits, and hashed as the models' input is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from math import isfinite
from statistics import median
from typing import Any

from contracts.actions import Split, split_factor
from contracts.frames import canonical_frame_bytes

FEWEST = 2
FEW = 23  # observations of a month of moves; below, the models' width is much of the usual market's
LONGEST = 5000
_A_LONG_WEEKEND = 4 * 86_400  # seconds


@dataclass(frozen=True, slots=True)
class HistoryFault:
    """Say what is wrong with a history, and where."""

    where: str
    what: str


def history_faults(
    stamps: Sequence[datetime], values: Sequence[float | None], root: str = "history"
) -> list[HistoryFault]:
    """Return what is wrong with a history: too short or long, not positive and finite, or out of order."""
    if len(stamps) < FEWEST:
        return [HistoryFault(root, f"too few observations: a forecast needs at least {FEWEST}, here is {len(stamps)}")]
    if len(stamps) > LONGEST:
        return [HistoryFault(root, f"{len(stamps)} observations are too many: at most {LONGEST} are taken")]
    found = []
    for index, value in enumerate(values):
        if value is None or not isfinite(value):
            found.append(
                HistoryFault(f"{root}.{index}.y", f"{'null' if value is None else value} is not a finite price")
            )
        elif value <= 0:
            found.append(HistoryFault(f"{root}.{index}.y", f"{value} is not a positive price"))
    for index, (before, after) in enumerate(pairwise(stamps), start=1):
        if after == before:
            found.append(HistoryFault(f"{root}.{index}.ds", f"{after.isoformat()} is there twice"))
        elif after < before:
            found.append(
                HistoryFault(
                    f"{root}.{index}.ds", f"{after.isoformat()} comes after {before.isoformat()}: oldest first"
                )
            )
        elif after.date() == before.date():
            what = f"{after.date()} has another observation: one of each session is taken, for sessions are forecast"
            found.append(HistoryFault(f"{root}.{index}.ds", what))
    return found


def history_warnings(stamps: Sequence[datetime]) -> list[str]:
    """Return what a forecast of a history should not be read without."""
    told = []
    if len(stamps) < FEW:
        told.append(
            f"The width is largely the usual one of the market that the model has learned from: {len(stamps)} sessions "
            f"say little of how far this price moves, {FEW} or more say it themselves."
        )
    steps = [(after - before).total_seconds() for before, after in pairwise(stamps)]
    if len(stamps) > FEWEST and median(steps) > _A_LONG_WEEKEND:
        told.append(
            "Most observations lie more than four days apart, and each was taken for the session after the one before: "
            "forecasts are of daily sessions."
        )
    return told


def session_date(closed_at: datetime) -> date:
    """Return the day whose splits a bar's prices know: that of the moment before its close, UTC.

    Right for every exchange whose sessions do not close after midnight UTC.
    """
    return (closed_at - timedelta(microseconds=1)).date()


def adjusted(bars: Iterable[Mapping[str, Any]], splits: Sequence[Split], until: datetime) -> list[dict[str, Any]]:
    """Return bars in the share terms of the bar that closed at `until`: prices divided, volumes multiplied."""
    last = session_date(until)
    changed = []
    for bar in bars:
        factor = split_factor(splits, session_date(bar["closed_at"]), last)
        if factor == 1.0:
            changed.append(dict(bar))
            continue
        prices = {name: bar[name] / factor for name in ("open", "high", "low", "close")}
        if bar.get("vwap") is not None:
            prices["vwap"] = bar["vwap"] / factor
        changed.append({**bar, **prices, "volume": bar["volume"] * factor})
    return changed


def frame_of_bars(bars: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the models' input of one symbol's (adjusted) bars: `unique_id, ds, y, high, low`."""
    rows = [[bar["symbol"], _naive(bar["closed_at"]), bar["close"], bar["high"], bar["low"]] for bar in bars]
    return {"columns": ["unique_id", "ds", "y", "high", "low"], "data": rows}


def frame_of_history(stamps: Iterable[datetime], values: Iterable[float]) -> dict[str, Any]:
    """Return the models' input of a history of the caller's own: `unique_id, ds, y`."""
    rows = [["history", _naive(stamp), value] for stamp, value in zip(stamps, values, strict=True)]
    return {"columns": ["unique_id", "ds", "y"], "data": rows}


def input_sha256(frame: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a frame as the forecasting service computes it, so that lineages can be compared."""
    rows = (
        (series, stamp if "." in stamp else f"{stamp}.000000", *map(float, numbers))
        for series, stamp, *numbers in frame["data"]
    )
    return sha256(canonical_frame_bytes(frame["columns"], rows)).hexdigest()


def _naive(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()
