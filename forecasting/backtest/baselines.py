"""The plain yardstick: a random walk whose width is what its own last moves were.  Pure."""

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from contracts.measures import LEVELS
from forecasting.backtest.origins import Questions
from forecasting.data.windows import FLOOR, Floats, series_of

ROLLING = "rolling-252"
ROLLING_SESSIONS = 252


def rolling_conformal(frame: pd.DataFrame, asked: Questions, sessions: int = ROLLING_SESSIONS) -> Floats:
    """Return log quantiles of a random walk with rolling conformal intervals: [n, H, len(LEVELS)].

    The interval of coverage c at step h is the conformal quantile, ceil((n + 1) c) / n, of the symbol's last `sessions`
    moves over h bars that ended by the origin, as absolute values (Vovk et al. 2005).  Shorter histories use what is
    there; an origin without a single move gets the least width.
    """
    shares = np.abs(2 * np.asarray(LEVELS) - 1)
    sides = np.sign(np.asarray(LEVELS) - 0.5)
    answer = np.full((len(asked), asked.horizon, len(LEVELS)), FLOOR) * sides
    known = {series.symbol: series for series in series_of(frame)}
    for symbol in np.unique(asked.windows.symbols.astype(str)):
        series, rows = known[symbol], np.flatnonzero(asked.windows.symbols == symbol)
        ends = np.searchsorted(series.ds, asked.windows.origins[rows])
        logs = np.log(series.y)
        for step in range(1, asked.horizon + 1):
            moves = np.full(len(logs) + sessions, np.nan)  # the move that ends at bar t stands at sessions + t
            moves[sessions + step :] = np.abs(logs[step:] - logs[:-step])
            recent = np.sort(sliding_window_view(moves, sessions)[ends + 1], axis=1)  # NaN last
            counts = np.isfinite(recent).sum(axis=1)
            for number, share in enumerate(shares):
                rank = np.minimum(np.ceil((counts + 1) * share).astype(np.intp), counts) - 1
                width = recent[np.arange(len(rows)), np.maximum(rank, 0)]
                answer[rows, step - 1, number] = sides[number] * np.where(counts > 0, np.maximum(width, FLOOR), FLOOR)
    return answer
