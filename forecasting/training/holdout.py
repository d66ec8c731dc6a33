"""Score models on sessions that none of them saw; `gate` says which one may be shown.

The cut is in time: models learn from bars up to the first origin of the hold-out, and every target lies after it.
All models forecast the same steps from the same windows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.measures import INSIDE_80, INSIDE_95, LEVELS
from forecasting.data.windows import CONTEXT, BadFrame, Floats, Windows, WindowSet, mean_absolute_change
from forecasting.models.base import Estimator
from forecasting.models.losses import absolute_error, covered, crps, mase, scrps

_BLOCK = 50 * 1024  # windows that are judged at once


@dataclass(frozen=True, slots=True)
class HoldOut:
    """Origins that no model has learned from, and what came after them."""

    windows: WindowSet
    rows: NDArray[np.intp]  # [n] of the windows: those of symbols that move
    scale: Floats  # [n] mean |one-step change| of each
    horizon: int  # steps that are scored

    def blocks(self) -> Iterator[tuple[Windows, Floats]]:
        """Cut the windows a block at a time; yield them, and the closes [block, horizon] after them."""
        for first in range(0, len(self.rows), _BLOCK):
            windows, moves = self.windows.take(self.rows[first : first + _BLOCK])
            yield windows, windows.last[:, None] * np.exp(moves)


@dataclass(frozen=True, slots=True)
class Scores:
    """What one model scored on a hold-out; lists are by step."""

    family: str
    n: int
    mase: float
    scrps: float
    coverage_80: float
    coverage_95: float
    mase_by_step: tuple[float, ...]
    scrps_by_step: tuple[float, ...]
    coverage_80_by_step: tuple[float, ...]
    coverage_95_by_step: tuple[float, ...]
    below: tuple[float, ...]  # share of outcomes below each quantile of LEVELS: the levels themselves when calibrated
    losses: Floats  # [T] mean scaled CRPS of each origin, by time


def split_holdout(frame: pd.DataFrame, sessions: int, horizon: int) -> tuple[pd.DataFrame, HoldOut]:
    """Cut a long frame into what models may learn from and the last `sessions` (at most a fifth of all) to judge by.

    Raises:
        BadFrame: no symbol has a full window and `horizon` bars after it in the hold-out.
    """
    moments = np.unique(frame["ds"].to_numpy(dtype="datetime64[ns]"))
    count = min(sessions, len(moments) // 5)
    if count < horizon:
        raise BadFrame(f"{len(moments)} sessions are too few: a hold-out of a fifth must hold {horizon} steps")
    first = moments[-(count + 1)]
    windows = WindowSet(frame, horizon, since=first)
    every = HoldOut(windows, np.arange(len(windows)), np.ones(len(windows)), horizon)
    scale = np.concatenate([np.zeros(0), *(mean_absolute_change(block) for block, _ in every.blocks())])
    moving = np.flatnonzero(scale > 0)  # a suspended symbol has nothing to scale by
    if not len(moving):
        raise BadFrame(f"no symbol has {CONTEXT + horizon} bars: there is nothing to compare on")
    held = HoldOut(windows, moving, scale[moving], horizon)
    return frame[frame["ds"] <= pd.Timestamp(first)].reset_index(drop=True), held


def score_holdout(estimator: Estimator, held: HoldOut) -> Scores:
    """Let a model forecast every origin of the hold-out, and score it."""
    blocks = [_judged(estimator, windows, actual) for windows, actual in held.blocks()]
    symbols, origins, actual, errors, scores, inside_80, inside_95, below = map(
        np.concatenate, zip(*blocks, strict=True)
    )
    scale = held.scale[:, None]
    steps = range(held.horizon)
    by_origin = pd.Series((scores / scale).mean(axis=1)).groupby(origins).mean()
    return Scores(
        family=estimator.family,
        n=int(actual.size),
        mase=mase(errors, scale),
        scrps=scrps(scores, actual, symbols),
        coverage_80=float(np.mean(inside_80)),
        coverage_95=float(np.mean(inside_95)),
        mase_by_step=tuple(mase(errors[:, step], held.scale) for step in steps),
        scrps_by_step=tuple(scrps(scores[:, k], actual[:, k], symbols) for k in steps),
        coverage_80_by_step=tuple(float(np.mean(inside_80[:, k])) for k in steps),
        coverage_95_by_step=tuple(float(np.mean(inside_95[:, k])) for k in steps),
        below=tuple(float(np.mean(below[:, :, number])) for number in range(len(LEVELS))),
        losses=by_origin.to_numpy(dtype=np.float64),
    )


def _judged(estimator: Estimator, windows: Windows, actual: Floats) -> tuple[NDArray[Any], ...]:
    """Let a model forecast a block: symbols, origins, closes, errors, CRPS, what lies inside and below what."""
    logs = estimator.log_quantiles(windows, actual.shape[1], np.asarray(LEVELS))
    quantiles = windows.last[:, None, None] * np.exp(logs)
    at = {level: quantiles[:, :, number] for number, level in enumerate(LEVELS)}
    held = (covered(actual, at[low], at[high]) for low, high in (INSIDE_80, INSIDE_95))
    errors, scores = absolute_error(actual, at[0.5]), crps(actual, quantiles, LEVELS)
    return windows.symbols, windows.origins, actual, errors, scores, *held, actual[..., None] <= quantiles
