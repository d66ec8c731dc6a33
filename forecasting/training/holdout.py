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
from forecasting.data.windows import (
    CONTEXT,
    BadFrame,
    Floats,
    Windows,
    WindowSet,
    mean_absolute_change,
    rows_by_symbols,
)
from forecasting.models.base import Estimator
from forecasting.models.losses import absolute_error, covered, crps, mase, scrps

_SYMBOLS = 500  # whose windows are cut together
_BLOCK = 50 * 1024  # windows that are judged at once


@dataclass(frozen=True, slots=True)
class HoldOut:
    """Origins that no model has learned from, and what came after them."""

    frame: pd.DataFrame  # the long frame that windows and outcomes are cut from
    first: np.datetime64  # the first origin
    horizon: int  # steps that are scored

    def blocks(self) -> Iterator[tuple[Windows, Floats, Floats]]:
        """Cut the windows of symbols that move, a block at a time.

        Yields:
            Windows, the closes [block, horizon] after them, and the mean |one-step change| [block] of each.
        """
        for rows in rows_by_symbols(self.frame, _SYMBOLS):
            every = WindowSet(self.frame.iloc[rows], self.horizon, since=self.first)
            for start in range(0, len(every), _BLOCK):
                windows, moves = every.take(np.arange(start, min(start + _BLOCK, len(every))))
                scale = mean_absolute_change(windows)
                moving = scale > 0  # a suspended symbol has nothing to scale by
                if moving.any():
                    yield windows[moving], (windows.last[:, None] * np.exp(moves))[moving], scale[moving]


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
    held = HoldOut(frame, first, horizon)
    if next(held.blocks(), None) is None:
        raise BadFrame(f"no symbol has {CONTEXT + horizon} bars: there is nothing to compare on")
    return frame[frame["ds"] <= pd.Timestamp(first)].reset_index(drop=True), held


def score_holdout(estimator: Estimator, held: HoldOut) -> Scores:
    """Let a model forecast every origin of the hold-out, and score it."""
    blocks = [(scale, *_judged(estimator, windows, actual)) for windows, actual, scale in held.blocks()]
    scale, symbols, origins, actual, errors, scores, inside_80, inside_95, below = map(
        np.concatenate, zip(*blocks, strict=True)
    )
    steps = range(held.horizon)
    by_origin = pd.Series((scores / scale[:, None]).mean(axis=1)).groupby(origins).mean()
    return Scores(
        family=estimator.family,
        n=int(actual.size),
        mase=mase(errors, scale[:, None]),
        scrps=scrps(scores, actual, symbols),
        coverage_80=float(np.mean(inside_80)),
        coverage_95=float(np.mean(inside_95)),
        mase_by_step=tuple(mase(errors[:, step], scale) for step in steps),
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
