"""How good forecasts were: one function per metric, on arrays of any shape that broadcasts.

Prices and losses are in the same units; `scale` is the mean |one-step change| of each forecast's input.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from contracts.measures import long_run_variance, small_sample_correction
from forecasting.data.windows import Floats


def absolute_error(actual: Floats, point: Floats) -> Floats:
    """Return |actual - point|."""
    errors: Floats = np.abs(actual - point)
    return errors


def pinball(actual: Floats, quantile: Floats, level: Floats | float) -> Floats:
    """Return the loss of quantiles: level x shortfall above, (1 - level) x excess below (Koenker & Bassett 1978)."""
    gap = actual - quantile
    loss: Floats = np.maximum(level * gap, (level - 1) * gap)
    return loss


def crps(actual: Floats, quantiles: Floats, levels: Sequence[float]) -> Floats:
    """Approximate the CRPS by twice the mean pinball loss: [...], [..., L] -> [...] (Laio & Tamea 2007, eq. 9)."""
    losses = pinball(actual[..., None], quantiles, np.asarray(levels))
    score: Floats = 2 * losses.mean(axis=-1)
    return score


def mase(errors: Floats, scale: Floats) -> float:
    """Return the mean absolute scaled error (Hyndman & Koehler 2006)."""
    return float(np.mean(errors / scale))


def scrps(scores: Floats, actual: Floats, symbols: NDArray[np.object_]) -> float:
    """Return the scaled CRPS: each symbol's mean CRPS over its mean |actual|, averaged over symbols.

    The definition of Rangapuram et al. (2021), as utilsforecast's `scaled_crps` (a test compares the two).

    Args:
        scores, actual: [n, ...] in price units; symbols: [n].
    """
    codes, _ = pd.factorize(symbols, sort=True)
    rows = (len(scores), -1)
    losses = np.bincount(codes, scores.reshape(rows).mean(axis=1))
    sizes = np.bincount(codes, np.abs(actual).reshape(rows).mean(axis=1))
    return float(np.mean(losses / sizes))


def covered(actual: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Tell which outcomes lie inside [low, high]; their share is the coverage."""
    found: NDArray[np.bool_] = (low <= actual) & (actual <= high)
    return found


def diebold_mariano(losses: Floats, baseline: Floats, horizon: int) -> tuple[float, float]:
    """Test whether two series of losses differ in mean; negative: the first is smaller.

    Args:
        losses, baseline: [T], by origin, of forecasts up to `horizon` steps ahead.

    Returns:
        Statistic and two-sided p-value, with the small-sample correction and Student's t of Harvey, Leybourne &
        Newbold (1997, eqs. 9-10); (0, 1) where the series are the same.
    """
    difference = losses - baseline
    count = len(difference)
    if count <= horizon or not np.any(difference):
        return 0.0, 1.0
    variance = long_run_variance((difference - difference.mean()).tolist(), horizon)
    if variance <= 0:
        return 0.0, 1.0
    correction = small_sample_correction(count, horizon)
    statistic = float(difference.mean() / np.sqrt(variance / count) * np.sqrt(max(correction, 0.0)))
    return statistic, float(2 * stdtr(count - 1, -abs(statistic)))
