"""How far prices will move: a heterogeneous autoregression (HAR, Corsi 2009) of range-based volatility.

The direction of a daily price is close to a coin's toss, its width is not: it follows the volatility of the last day,
week, month and quarter.  Ranges (Parkinson 1980) tell of it more exactly than closes do, and companies report once a
quarter.  All of it is read off a window, so nothing later enters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from forecasting.data.windows import CONTEXT, FLOOR, MAX_HORIZON, Floats, Windows

Bools = NDArray[np.bool_]

STEPS = (1, 5, MAX_HORIZON)  # steps that are fitted; those between are read off, straight in the step's logarithm
_SPANS = (1, 5, 22, CONTEXT - 1)  # sessions: a day, a week, a month, a quarter
_RANGES = len(_SPANS)  # features that need ranges
_FREEDOM = 8.0  # of Student's t, under which a jump pulls the fit less than under a Gaussian
_SMALLEST = 1e-8  # variance of a bar that did not move at all
_QUIET = 2e-3  # |return| below which the day's own says nothing
_MOST = 60_000  # windows that a fit uses of a larger set, evenly thinned
_TURNS = 100  # most; some twenty are needed
_ENOUGH = 300  # windows below which there is no fit
_BY_CHANCE = 1e-6  # share of windows of a random walk whose mean move would be taken for one that goes on
_LARGEST = 2.0  # scales are no more than this many of a window's largest moves
_PRIOR = 5.0  # bars that the market's usual volatility counts for in a window that is all but empty


@dataclass(frozen=True, slots=True)
class Har:
    """Coefficients of the log scale: [len(STEPS), features], for windows with ranges and for those of closes alone."""

    usual: float  # daily volatility of the median symbol, for windows too short to have their own
    ranges: Floats
    closes: Floats

    @classmethod
    def fit(cls, windows: Windows, targets: Floats, usual: float) -> Self:
        """Fit by maximum likelihood of Student's t.

        Args:
            windows, targets: full windows and the cumulative log returns [n, H] after them.
            usual: the median symbol's daily volatility; all there is to know where no window is full.
        """
        rows = np.linspace(0, len(windows) - 1, min(len(windows), _MOST)).astype(np.intp)
        some, outcomes = windows[rows], targets[rows]
        ranged, seen = _has_ranges(some), _features(some)
        ranges = [_fitted(_at(seen, step)[ranged], outcomes[ranged, step - 1]) for step in STEPS]
        closes = [_fitted(_at(seen, step)[:, :-_RANGES], outcomes[:, step - 1]) for step in STEPS]
        if len(some) < _ENOUGH:
            for step, weights in zip(STEPS, closes, strict=True):
                weights[0] = np.log(usual * np.sqrt(step))
        return cls(usual, np.stack(ranges), np.stack(closes))

    def scales(self, windows: Windows, horizon: int = MAX_HORIZON) -> Floats:
        """Return the scale of the cumulative log return at each step: [n, horizon], at least `FLOOR`."""
        logs = np.empty((len(windows), len(STEPS)))
        ranged = (_has_ranges(windows) if self.ranges.any() else np.zeros(len(windows), dtype=bool))[:, None]
        seen = _features(windows)
        closes = np.pad(self.closes, ((0, 0), (0, _RANGES)))
        for number, step in enumerate(STEPS):
            weights = np.where(ranged, self.ranges[number], closes[number])
            # Row by row, not as a matrix product: a symbol's numbers must not depend on who else is in the batch.
            logs[:, number] = (_at(seen, step) * weights).sum(axis=1)
        known, wanted = np.log(STEPS), np.log(np.arange(1, horizon + 1))
        right = np.clip(np.searchsorted(known, wanted), 1, len(STEPS) - 1)
        share = (wanted - known[right - 1]) / (known[right] - known[right - 1])
        own = np.exp(logs[:, right - 1] * (1 - share) + logs[:, right] * share)
        # A short window is drawn towards the usual; a full one is not.
        counts = windows.counts[:, None].astype(np.float64)
        prior = _PRIOR * (1 - counts / (CONTEXT - 1))
        usual = self.usual * np.sqrt(np.arange(1, horizon + 1))
        # What was learned of other prices says nothing of ticks as large as the price; the window's own moves do.
        largest = np.where(np.isfinite(windows.returns), np.abs(windows.returns), 0.0).max(axis=1)
        own = np.minimum(own, _LARGEST * np.maximum(largest[:, None] * np.sqrt(np.arange(1, horizon + 1)), usual))
        variance = (counts * own**2 + prior * usual**2) / (counts + prior)
        steady = _steady(windows)[:, None] * np.arange(1, horizon + 1)
        scale: Floats = np.maximum(np.sqrt(variance + steady**2), FLOOR)
        return scale

    def learned(self) -> dict[str, Any]:
        """Return the coefficients, as JSON takes them."""
        return {"usual": self.usual, "ranges": self.ranges.tolist(), "closes": self.closes.tolist()}

    @classmethod
    def restored(cls, learned: Mapping[str, Any]) -> Self:
        """Take up what was learned."""
        return cls(float(learned["usual"]), np.array(learned["ranges"]), np.array(learned["closes"]))


def per_session(scales: Floats) -> Floats:
    """Return the volatility of one session that a drift is in units of: [n, H] scales of cumulative returns -> [n].

    That of the calmest step, so that what drifts by it never outruns the width of any step.
    """
    least: Floats = (scales / np.sqrt(np.arange(1, scales.shape[1] + 1))).min(axis=1)
    return least


def _steady(windows: Windows) -> Floats:
    """Return how far each window surely moves a session, up or down: [n], zero for all that may be a random walk.

    Moves of a random walk add up to the square root of their number; those of a price that rises by the same every
    session add up to their number.  The mean is sure as far as it is beyond Student's t of such a walk.
    """
    known = np.isfinite(windows.returns)
    counts = np.maximum(known.sum(axis=1), 2)
    mean = np.where(known, windows.returns, 0.0).sum(axis=1) / counts
    squares = np.where(known, windows.returns - mean[:, None], 0.0) ** 2
    error = squares.sum(axis=1) / (counts - 1) / counts  # variance of the mean
    steady: Floats = np.sqrt(np.maximum(mean**2 - stdtrit(counts - 1, 1 - _BY_CHANCE) ** 2 * error, 0.0))
    return steady * (windows.counts >= 2)


def _fitted(features: Floats, moves: Floats) -> Floats:
    """Fit one step's coefficients; zeros where there are too few rows."""
    return _likeliest(features, moves) if len(features) >= _ENOUGH else np.zeros(features.shape[1])


def _has_ranges(windows: Windows) -> Bools:
    """Tell of which windows the ranges are known, for the last bar and most of the last month: [n]."""
    known = np.isfinite(windows.ranges)
    month = known[:, -_SPANS[2] :].sum(axis=1)
    counts = np.minimum(windows.counts, _SPANS[2])
    found: Bools = known[:, -1] & (month >= 0.8 * counts)
    return found


def _features(windows: Windows) -> Floats:
    """Return what the log scale is linear in, but for the season: [n, features], ranges last."""
    returns = np.where(np.isfinite(windows.returns), windows.returns, 0.0)
    squares = _averages(windows.returns**2)
    month = np.sqrt(squares[:, 2] + _SMALLEST)
    # How large the largest move was, up to each session of the three weeks that lie a quarter back.
    quarter = np.maximum.accumulate(np.abs(returns[:, : MAX_HORIZON + 1]), axis=1) / month[:, None]
    columns = [
        np.ones(len(windows)),
        np.log(np.sqrt(squares[:, 0]) + _QUIET),
        *(0.5 * np.log(squares[:, 1:] + _SMALLEST)).T,
        *quarter[:, list(STEPS)].T,
        *(0.5 * np.log(_averages(windows.ranges) + _SMALLEST)).T,
    ]
    return np.stack(columns, axis=-1)


def _at(features: Floats, step: int) -> Floats:
    """Leave of the seasons the one of a step: the sessions 62 and 63 before those up to the step.  As two columns."""
    first = features.shape[1] - _RANGES - len(STEPS)
    season = features[:, first + STEPS.index(step)]
    both = np.stack([np.log(np.clip(season, 0.5, 20)), np.clip(season - 2.5, 0, 20)], axis=-1)
    return np.concatenate([features[:, :first], both, features[:, -_RANGES:]], axis=1)


def _averages(variances: Floats) -> Floats:
    """Average what is known over each of the spans: [n, C] -> [n, len(_SPANS)]; zero where nothing is."""
    known = np.isfinite(variances)
    filled = np.where(known, variances, 0.0)
    means = [filled[:, -span:].sum(axis=1) / np.maximum(known[:, -span:].sum(axis=1), 1) for span in _SPANS]
    return np.stack(means, axis=-1)


def _likeliest(features: Floats, moves: Floats) -> Floats:
    """Maximise the likelihood of moves under Student's t with a log-linear scale: [n, k], [n] -> [k]."""
    middle, spread = features.mean(axis=0), features.std(axis=0)
    middle[0], spread[spread == 0] = 0.0, 1.0
    scaled = (features - middle) / spread
    size = moves.std() or FLOOR
    outcome = moves / size

    # Fisher scoring: the expected curvature of the log scale is 2 nu / (nu + 3) per observation, whatever the scale.
    ridge = np.diag([0.0, *[2e-4] * (scaled.shape[1] - 1)])
    curvature = scaled.T @ scaled / len(outcome) * (2 * _FREEDOM / (_FREEDOM + 3)) + ridge
    found = np.zeros(scaled.shape[1])
    for _ in range(_TURNS):
        square = (outcome * np.exp(-np.clip(scaled @ found, -20, 20))) ** 2
        pull = 1 - (_FREEDOM + 1) * square / (_FREEDOM + square)
        turn = np.linalg.solve(curvature, scaled.T @ pull / len(outcome) + ridge @ found)
        found -= turn
        if np.abs(turn).max() < 1e-7:
            break
    weights: Floats = found / spread
    weights[0] = found[0] + np.log(size) - weights[1:] @ middle[1:]
    return weights
