"""What a network sees of a window: numbers without a currency, scaled by the window's own volatility.

Whatever is known of the range of a bar (high, low) says more of the volatility to come than its close does
(Parkinson 1980); averages over a day, a week and a month carry most of it (Corsi 2009, HAR).
"""

import numpy as np

from forecasting.data.windows import CONTEXT, Floats, Windows, volatility
from forecasting.models.volatility import Har

STEP_FEATURES = 3  # of each bar: scaled return, log range volatility, whether the range is known
SUMMARY_FEATURES = 11  # of the window
_SPANS = (1, 5, 22)  # sessions: a day, a week, a month
_SMALLEST = 1e-3  # of the window's volatility: a bar that did not move at all


def step_features(windows: Windows, scale: Floats) -> Floats:
    """Return each bar's features: [n, C, STEP_FEATURES], oldest first."""
    returns = np.clip(windows.returns / scale[:, None], -8, 8)
    known = np.isfinite(windows.ranges)
    ranges = np.where(known, _log(np.where(known, windows.ranges, 0.0), scale[:, None]), 0.0)
    return np.stack([returns, ranges, known.astype(np.float64)], axis=-1)


def summary_features(windows: Windows, scale: Floats, har: Har) -> Floats:
    """Return each window's own features: [n, SUMMARY_FEATURES].

    Log volatility over a day, a week and a month from closes and from ranges, whether ranges are known, the
    window's volatility beside the market's usual one, and how the volatility to come (`har`) stands to it: tomorrow's
    beside the window's, a week's and a month's beside tomorrow's.
    """
    known = np.isfinite(windows.ranges)
    ranges = np.where(known, windows.ranges, 0.0)
    columns = [_log(np.mean(windows.returns[:, -span:] ** 2, axis=1), scale) for span in _SPANS]
    for span in _SPANS:
        seen = known[:, -span:].sum(axis=1)
        mean = ranges[:, -span:].sum(axis=1) / np.maximum(seen, 1)
        columns.append(np.where(seen > 0, _log(mean, scale), 0.0))
    columns.append(known.mean(axis=1))
    columns.append(np.clip(np.log(scale / har.usual), -3, 3))
    coming = np.log(har.scales(windows)[:, [0, 4, 19]])
    coming[:, 1:] -= coming[:, :1]
    coming[:, 0] -= np.log(scale)
    columns += list(np.clip(coming, -4, 4).T)
    return np.stack(columns, axis=-1)


def scales(windows: Windows) -> Floats:
    """Return the volatility that a window's features are in units of: [n]."""
    return volatility(windows.returns, CONTEXT)


def _log(variance: Floats, scale: Floats) -> Floats:
    logs: Floats = np.log(np.maximum(np.sqrt(variance) / scale, _SMALLEST))
    return logs
