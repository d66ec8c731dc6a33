"""How good forecasts are, number by number: what scores say, what the leaderboard adds up, what gates compare.

`forecasting.models.losses` has the same for arrays; one test holds both, and utilsforecast's, to be equal.
"""

from collections.abc import Sequence
from math import fsum

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)  # of the quantiles that are published
INSIDE_80 = (0.1, 0.9)
INSIDE_95 = (0.025, 0.975)


def pinball_loss(level: float, value: float, actual: float) -> float:
    """Return the loss of a quantile (Koenker & Bassett 1978): `level` of each unit above, 1 - `level` below."""
    return level * (actual - value) if actual >= value else (1 - level) * (value - actual)


def is_inside(low: float, high: float, actual: float) -> bool:
    """Tell whether an actual lies between two quantiles, bounds included."""
    return low <= actual <= high


def skill(loss: float, baseline: float) -> float:
    """Return how much smaller a loss is than the baseline's: 1 is perfect, 0 is no better."""
    return 1 - loss / baseline if baseline > 0 else 0.0


def long_run_variance(gaps: Sequence[float], horizon: int) -> float:
    """Return the variance of centred differences [T], in order of time, that overlap over `horizon` steps.

    The truncated sum of autocovariances (Diebold & Mariano 1995, eq. 5) need not be positive; the variance alone,
    which is returned then, always is.
    """
    count = len(gaps)
    covariances = [fsum(a * b for a, b in zip(gaps, gaps[lag:], strict=False)) / count for lag in range(horizon)]
    variance = covariances[0] + 2 * fsum(covariances[1:])
    return variance if variance > 0 else covariances[0]


def small_sample_correction(count: int, horizon: int) -> float:
    """Return the factor of Harvey, Leybourne & Newbold (1997, eq. 9) for a squared statistic of `count` values."""
    return (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
