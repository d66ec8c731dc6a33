"""Any number of symbols of any length, resampled from real stocks: for benchmarks that ask how work grows."""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.data.calendars import closes_after

SHARED = Path(os.environ.get("FORETICK_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
BLOCK = 40  # sessions: long enough for waves of volatility


def market(symbols: int, bars: int, seed: int = 500) -> pd.DataFrame:
    """Return a long frame `unique_id, ds, y, high, low`; ds are session closes, tz-naive UTC.

    A moving block bootstrap (Kunsch 1989) of each bar's log return with its high and low over its close.
    """
    random, real, frames = np.random.default_rng(seed), _real(), []
    days = closes_after(np.array(["2006-01-03T21:00:00"], dtype="datetime64[ns]"), bars)[0]
    for number in range(symbols):
        blocks = []
        for _ in range(-(-bars // BLOCK)):
            history = real[int(random.integers(len(real)))]
            start = int(random.integers(len(history) - BLOCK))
            blocks.append(history[start : start + BLOCK])
        moves = np.concatenate(blocks)[:bars]
        close = 50 * np.exp(np.cumsum(moves[:, 0]))
        name = f"S{number:03d}"
        frames.append(
            pd.DataFrame(
                {"unique_id": name, "ds": days, "y": close, "high": close * moves[:, 1], "low": close * moves[:, 2]}
            )
        )
    return pd.concat(frames, ignore_index=True)


def _real() -> list[np.ndarray]:
    """Return each real stock's [T, 3]: log return, high over close, low over close."""
    path = SHARED / "sp500_daily_2013_2018.csv.gz"
    if path.exists():
        bars = pd.read_csv(path).dropna()
    else:
        print(f"{path} is not there: bokeh_sampledata's stocks stand in", file=sys.stderr)
        from bokeh_sampledata.stocks import stocks

        columns = ("open", "high", "low", "close", "adj_close")
        cut = [pd.DataFrame({name: stocks[each][name] for name in columns}).assign(symbol=each) for each in stocks]
        bars = pd.concat(cut)
        factor = bars["adj_close"] / bars["close"]
        bars = bars.assign(**{name: bars[name] * factor for name in ("high", "low", "close")})
    made = []
    for _, rows in bars.groupby("symbol"):
        close, high, low = (rows[name].to_numpy(dtype=np.float64) for name in ("close", "high", "low"))
        ratios = np.column_stack([np.maximum(high / close, 1.0), np.minimum(low / close, 1.0)])
        made.append(np.column_stack([np.diff(np.log(close)), ratios[1:]]))
    return [history for history in made if len(history) > BLOCK]
