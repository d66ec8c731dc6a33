"""Adaptive conformal inference (Gibbs & Candes 2021): intervals that answer for how often they held.

The state of one symbol, model version and step is the share of outcomes that each interval is now asked to miss.  A
miss lowers it and so widens the next interval, a hit raises it a little; over time the intervals miss as often as they
say, whatever the market does.  Pure; arrays of any number of states.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from contracts.measures import LEVELS
from forecasting.data.windows import Floats
from forecasting.models.quantiles import SPREAD_LEVELS

CENTRAL_INTERVALS = (0.8, 0.95)
START: Floats = 1 - np.asarray(CENTRAL_INTERVALS)  # the state of who has settled nothing yet
RATE = 0.005  # one step ahead; a step h has outcomes that overlap h times, so it learns h times more slowly
_LEAST, _MOST = 1e-4, 0.9  # where quantiles are still read off
# What a model is asked for, so that any level can be read off its answer.
ASKED: Floats = np.unique(np.round([*SPREAD_LEVELS, *(1 - np.asarray(SPREAD_LEVELS))], 6))


def updated(alphas: Floats, inside: NDArray[np.bool_], step: int | NDArray[np.int64]) -> Floats:
    """Learn from whether outcomes lay inside: alpha + rate (nominal miss - missed) (eq. 2).

    Args:
        alphas: [..., intervals]; inside: the same shape; step: how many sessions ahead, or [...].
    """
    rate = RATE / np.asarray(step, dtype=np.float64)[..., None]
    learned: Floats = alphas + rate * (START - ~inside)
    return learned


def asked_levels(alphas: Floats, levels: Sequence[float] = LEVELS) -> Floats:
    """Return which level of the model to read for each nominal one: [..., intervals] -> [..., levels].

    Between the median and the intervals, and beyond them, levels move together in normal scores; they never cross.
    """
    nominal = ndtri(np.asarray(levels))
    held = ndtri(1 - np.clip(alphas, _LEAST, _MOST) / 2)
    inner, outer = held[..., :1], np.maximum(held[..., 1:], held[..., :1] + 1e-6)
    first, second = (float(ndtri((1 + interval) / 2)) for interval in CENTRAL_INTERVALS)
    size = np.abs(nominal)
    between = inner + (outer - inner) * (size - first) / (second - first)
    moved = np.where(size <= first, inner * size / first, np.where(size <= second, between, outer * size / second))
    asked: Floats = np.clip(ndtr(np.sign(nominal) * moved), _LEAST / 2, 1 - _LEAST / 2)
    return asked


def calibrated(quantiles: Floats, levels: Sequence[float] | Floats, asked: Floats) -> Floats:
    """Read the asked levels off quantiles [..., K] at `levels`: [..., L], straight in normal scores."""
    scores, wanted = ndtri(np.asarray(levels)), ndtri(asked)
    right = np.clip(np.searchsorted(scores, wanted), 1, len(scores) - 1)
    share = (wanted - scores[right - 1]) / (scores[right] - scores[right - 1])
    low, high = (np.take_along_axis(quantiles, side, axis=-1) for side in (right - 1, right))
    read: Floats = low * (1 - share) + high * share
    return np.maximum.accumulate(read, axis=-1)  # equal levels may differ by a rounding error
