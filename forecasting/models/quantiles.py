"""Quantiles: between levels, and how wide outcomes fall around a centre.

Between two levels, and beyond the outermost, quantiles run straight in normal scores: exact for a Gaussian.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from forecasting.data.windows import Floats

SPREAD_LEVELS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 0.995)
_ENOUGH = 250  # residuals below which an empirical 2.5 % tail is a guess: use the Gaussian


def check_levels(levels: Sequence[float]) -> Floats:
    """Return levels as an array.

    Raises:
        ValueError: they are not rising strictly within (0, 1).
    """
    known = np.asarray(levels, dtype=np.float64)
    if known.ndim != 1 or not len(known) or not ((known > 0) & (known < 1)).all() or (np.diff(known) <= 0).any():
        raise ValueError(f"quantile levels must rise strictly between 0 and 1, not {list(levels)}")
    return known


def between(known_levels: Sequence[float], values: Floats, levels: Sequence[float] | Floats) -> Floats:
    """Read quantiles at any levels off quantiles at known ones: [..., K] -> [..., L].

    Values that rise with the level still do afterwards.
    """
    scores, wanted = ndtri(np.asarray(known_levels)), ndtri(np.asarray(levels))
    right = np.clip(np.searchsorted(scores, wanted), 1, len(scores) - 1)
    share = (wanted - scores[right - 1]) / (scores[right] - scores[right - 1])
    read: Floats = values[..., right - 1] * (1 - share) + values[..., right] * share
    return read


def spread_table(residuals: Floats, horizon: int) -> Floats:
    """Tabulate by step how far outcomes fall from the centre on either side: [n, H] -> [H, len(SPREAD_LEVELS)].

    Residuals are in multiples of the step's own scale, taken as symmetric.  With few of them, a Gaussian stands in.
    """
    if len(residuals) >= _ENOUGH:
        shares = 2 * np.asarray(SPREAD_LEVELS) - 1
        table: Floats = np.quantile(np.abs(residuals), shares, axis=0).T
        table[:, 0] = 0.0  # the centre
        return table
    return np.tile(ndtri(np.asarray(SPREAD_LEVELS)), (horizon, 1))


def spread(table: Floats, levels: Sequence[float] | Floats) -> Floats:
    """Read the symmetric quantiles of all steps off a spread table: [H, K] -> [H, L]."""
    wanted = np.asarray(levels)
    side = np.where(wanted < 0.5, -1.0, 1.0)
    return between(SPREAD_LEVELS, table, np.maximum(wanted, 1 - wanted)) * side
