"""Score models on sessions that none of them saw; `gate` says which one may be shown.

The cut is in time: models learn from bars up to the first origin of the hold-out, and every target lies after it.
All models forecast the same steps from the same windows.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from contracts.measures import LEVELS
from forecasting.data.windows import (
    CONTEXT,
    BadFrame,
    Floats,
    Windows,
    join,
    mean_absolute_change,
    series_of,
    targets_at,
    windows_at,
)
from forecasting.models.base import Estimator
from forecasting.models.losses import absolute_error, crps, mase, scrps, share_inside


@dataclass(frozen=True, slots=True)
class HoldOut:
    """Origins that no model has learned from, and what came after them."""

    windows: Windows
    actual: Floats  # [n, H] closes
    scale: Floats  # [n] mean |one-step change| of each window

    @property
    def horizon(self) -> int:
        """Return the steps that are scored."""
        return int(self.actual.shape[1])


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
    cut, actual = [], []
    for series in series_of(frame):
        ends = np.arange(CONTEXT - 1, len(series.y) - horizon)
        ends = ends[series.ds[ends] >= first]
        cut.append(windows_at(series, ends))
        actual.append(series.y[ends][:, None] * np.exp(targets_at(series, ends, horizon)))
    windows = join(cut)
    scale = mean_absolute_change(windows)
    moving = scale > 0  # a suspended symbol has nothing to scale by
    if not moving.any():
        raise BadFrame(f"no symbol has {CONTEXT + horizon} bars: there is nothing to compare on")
    held = HoldOut(windows[moving], np.concatenate(actual)[moving], scale[moving])
    return frame[frame["ds"] <= pd.Timestamp(first)].reset_index(drop=True), held


def score_holdout(estimator: Estimator, held: HoldOut) -> Scores:
    """Let a model forecast every origin of the hold-out, and score it."""
    levels = np.asarray(LEVELS)
    logs = estimator.log_quantiles(held.windows, held.horizon, levels)
    quantiles = held.windows.last[:, None, None] * np.exp(logs)
    at = {level: quantiles[:, :, number] for number, level in enumerate(LEVELS)}
    scale = held.scale[:, None]
    errors = absolute_error(held.actual, at[0.5])
    scores = crps(held.actual, quantiles, LEVELS)
    steps = range(held.horizon)
    by_origin = pd.Series((scores / scale).mean(axis=1)).groupby(held.windows.origins).mean()
    return Scores(
        family=estimator.family,
        n=int(held.actual.size),
        mase=mase(errors, scale),
        scrps=scrps(scores, held.actual, held.windows.symbols),
        coverage_80=share_inside(held.actual, at[0.1], at[0.9]),
        coverage_95=share_inside(held.actual, at[0.025], at[0.975]),
        mase_by_step=tuple(mase(errors[:, step], held.scale) for step in steps),
        scrps_by_step=tuple(scrps(scores[:, k], held.actual[:, k], held.windows.symbols) for k in steps),
        coverage_80_by_step=tuple(share_inside(held.actual[:, k], at[0.1][:, k], at[0.9][:, k]) for k in steps),
        coverage_95_by_step=tuple(share_inside(held.actual[:, k], at[0.025][:, k], at[0.975][:, k]) for k in steps),
        below=tuple(float(np.mean(held.actual <= at[level])) for level in LEVELS),
        losses=by_origin.to_numpy(dtype=np.float64),
    )
