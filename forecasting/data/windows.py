"""Windows of log returns: what a model sees at an origin, and what came after.

A window holds the last `CONTEXT` bars up to its origin and nothing later; whatever is scaled is scaled by
numbers of the window itself.  Shapes: n windows, C = CONTEXT - 1 returns, H steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONTEXT = 64  # bars in a window
MAX_HORIZON = 20  # sessions ahead that a model can be asked for
MOST_WINDOWS = 300_000  # that tables of quantiles are made from
FLOOR = 1e-5  # least daily volatility: a suspended symbol has none


class BadFrame(ValueError):
    """A frame cannot be forecast; the text names the symbol, the row and what is wrong."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one or more symbols; histories shorter than the context are NaN on the left."""

    symbols: NDArray[np.object_]  # [n]
    origins: NDArray[np.datetime64]  # [n] closed_at of the last bar, tz-naive UTC
    last: Floats  # [n] the last close
    returns: Floats  # [n, C] log returns, oldest first
    ranges: Floats  # [n, C] Parkinson variance of the same bars; NaN where high or low is not known

    def __len__(self) -> int:
        return len(self.last)

    def __getitem__(self, rows: Any) -> "Windows":
        return Windows(self.symbols[rows], self.origins[rows], self.last[rows], self.returns[rows], self.ranges[rows])

    @property
    def counts(self) -> Ints:
        """Return how many returns each window knows: [n]."""
        counts: Ints = np.isfinite(self.returns).sum(axis=1)
        return counts


@dataclass(frozen=True, slots=True)
class Series:
    """One symbol's bars in time order."""

    symbol: str
    ds: NDArray[np.datetime64]
    y: Floats
    high: Floats
    low: Floats


def check_frame(frame: pd.DataFrame) -> None:
    """Refuse a frame whose rows cannot be true.

    Raises:
        BadFrame: a column is missing, a close is not a positive finite number, or times do not rise.
    """
    missing = [name for name in ("unique_id", "ds", "y") if name not in frame]
    if missing:
        raise BadFrame(
            f"the frame lacks column {', '.join(missing)}; it needs unique_id, ds, y (and may have high, low)"
        )
    if not len(frame):
        raise BadFrame("the frame has no rows")
    bars = _grouped(frame)
    bad = np.flatnonzero(~(np.isfinite(bars.y) & (bars.y > 0)))
    if len(bad):
        symbol, at = bars.symbols[np.searchsorted(bars.edges, bad[0], side="right") - 1], bad[0]
        raise BadFrame(f"{symbol}: y is {bars.y[at]} at {bars.ds[at]}, not a positive finite price")
    back = np.flatnonzero(~(np.diff(bars.ds) > np.timedelta64(0))) + 1
    back = back[~np.isin(back, bars.edges)]
    if len(back):
        symbol, at = bars.symbols[np.searchsorted(bars.edges, back[0], side="right") - 1], back[0]
        raise BadFrame(f"{symbol}: {bars.ds[at]} does not come after {bars.ds[at - 1]}")


class _Grouped(NamedTuple):
    """A frame's bars, each symbol's together: those of `symbols[i]` are rows `edges[i]` to `edges[i + 1]`."""

    symbols: list[str]
    edges: NDArray[np.intp]
    ds: NDArray[np.datetime64]
    y: Floats
    high: Floats
    low: Floats


def _grouped(frame: pd.DataFrame) -> _Grouped:
    """Bring each symbol's rows together, in the frame's own order."""
    ds = frame["ds"].to_numpy(dtype="datetime64[ns]")
    y = frame["y"].to_numpy(dtype=np.float64)
    nothing = np.full(len(frame), np.nan)
    high = frame["high"].to_numpy(dtype=np.float64) if "high" in frame else nothing
    low = frame["low"].to_numpy(dtype=np.float64) if "low" in frame else nothing
    codes, symbols = pd.factorize(frame["unique_id"])
    together = bool((codes[1:] >= codes[:-1]).all())  # as the log's frames are: nothing is copied
    order = slice(None) if together else np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(symbols) + 1))
    return _Grouped([str(symbol) for symbol in symbols], edges, ds[order], y[order], high[order], low[order])


def bar_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many bars each symbol has, by symbol."""
    bars = _grouped(frame)
    return dict(sorted(zip(bars.symbols, np.diff(bars.edges).tolist(), strict=True)))


def series_of(frame: pd.DataFrame) -> Iterator[Series]:
    """Give each symbol's bars, rows in the frame's own order."""
    bars = _grouped(frame)
    for symbol, (first, until) in zip(bars.symbols, pairwise(bars.edges), strict=True):
        rows = slice(first, until)
        yield Series(symbol, bars.ds[rows], bars.y[rows], bars.high[rows], bars.low[rows])


def rows_by_symbols(frame: pd.DataFrame, most: int) -> Iterator[NDArray[np.intp]]:
    """Give the rows of at most so many symbols at a time, in the order of their names and of the frame.

    What a network says of a window may round another way beside others; who goes together is said here, once for all.
    """
    codes, names = pd.factorize(frame["unique_id"], sort=True)
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(0, len(names) + most, most))
    for first, until in pairwise(edges):
        yield order[first:until]


def log_returns(y: Floats) -> Floats:
    """Return ln(y_t / y_{t-1}): [T] -> [T - 1]."""
    returns: Floats = np.diff(np.log(y))
    return returns


def parkinson_variance(high: Floats, low: Floats) -> Floats:
    """Estimate a bar's variance from its range: ln(high/low)^2 / (4 ln 2) (Parkinson 1980, eq. 3)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.log(high / low) ** 2 / (4 * np.log(2))
    return np.where(np.isfinite(variance) & (high >= low), variance, np.nan)


def windows_at(series: Series, ends: Ints) -> Windows:
    """Cut the windows of one symbol whose last bars stand at rows `ends`."""
    padding = np.full(CONTEXT - 1, np.nan)
    # Bar t stands at CONTEXT - 2 + t, so a window that ends at bar t starts at t; the first bar has no return.
    returns = np.concatenate([padding, log_returns(series.y)])
    ranges = np.concatenate([padding, parkinson_variance(series.high, series.low)[1:]])
    return Windows(
        np.full(len(ends), series.symbol, dtype=object),
        series.ds[ends],
        series.y[ends],
        sliding_window_view(returns, CONTEXT - 1)[ends],
        sliding_window_view(ranges, CONTEXT - 1)[ends],
    )


def targets_at(series: Series, ends: Ints, horizon: int) -> Floats:
    """Return cumulative log returns of the `horizon` bars after rows `ends`: [len(ends), horizon]."""
    logs: Floats = np.log(series.y)
    moves: Floats = logs[ends[:, None] + np.arange(1, horizon + 1)] - logs[ends][:, None]
    return moves


def last_windows(frame: pd.DataFrame) -> Windows:
    """Cut each symbol's window at its last bar: the input of a forecast."""
    bars = _grouped(frame)
    ends = bars.edges[1:] - 1
    rows = ends[:, None] + np.arange(1 - CONTEXT, 1)
    before = rows < bars.edges[:-1, None]  # the symbol's first bar
    y, high, low = (np.where(before, np.nan, column[np.maximum(rows, 0)]) for column in (bars.y, bars.high, bars.low))
    ranges = np.where(before[:, :-1], np.nan, parkinson_variance(high[:, 1:], low[:, 1:]))
    return Windows(
        np.array(bars.symbols, dtype=object), bars.ds[ends], bars.y[ends], np.diff(np.log(y), axis=1), ranges
    )


class WindowSet:
    """All full windows whose next `horizon` bars are in the frame too, ordered by origin and symbol: to learn from.

    They are cut where they are taken: laid out, the windows of a long history are a hundred times as large as it is.

    Args:
        since: the first origin; None: the first there is.

    Attributes:
        origins: [n] closed_at of each window's last bar, tz-naive UTC.
    """

    def __init__(self, frame: pd.DataFrame, horizon: int, since: np.datetime64 | None = None) -> None:
        self._series = list(series_of(frame))
        self._horizon = horizon
        ends = [np.arange(CONTEXT - 1, len(series.y) - horizon) for series in self._series]
        if since is not None:
            ends = [each[series.ds[each] >= since] for series, each in zip(self._series, ends, strict=True)]
        numbers = np.repeat(np.arange(len(ends)), [len(each) for each in ends])
        origins = [series.ds[each] for series, each in zip(self._series, ends, strict=True)]
        ranks = np.argsort(np.argsort([series.symbol for series in self._series]))
        order = np.lexsort([ranks[numbers], np.concatenate(origins)])
        self.origins: NDArray[np.datetime64] = np.concatenate(origins)[order]
        self._numbers = numbers[order].astype(np.int32)
        self._ends = np.concatenate(ends)[order].astype(np.int32)

    def __len__(self) -> int:
        return len(self.origins)

    def take(self, rows: NDArray[np.intp]) -> tuple[Windows, Floats]:
        """Cut windows, and return them with the cumulative log returns [len(rows), horizon] after them."""
        numbers, ends = self._numbers[rows], self._ends[rows].astype(np.int64)
        grouped = np.argsort(numbers, kind="stable")
        edges = np.searchsorted(numbers[grouped], np.arange(len(self._series) + 1))
        places = [grouped[first:until] for first, until in pairwise(edges)]
        cut = [windows_at(series, ends[place]) for series, place in zip(self._series, places, strict=True)]
        targets = [
            targets_at(series, ends[place], self._horizon) for series, place in zip(self._series, places, strict=True)
        ]
        back = np.argsort(grouped, kind="stable")
        return join(cut)[back], np.concatenate(targets)[back]

    def thinned(self, most: int) -> tuple[Windows, Floats]:
        """Take all windows, or so many of them, evenly."""
        return self.take(thinned(np.arange(len(self)), most))


def thinned(rows: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Take at most so many rows, evenly."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


def join(parts: list[Windows]) -> Windows:
    """Put windows of several symbols under each other."""
    return Windows(
        np.concatenate([part.symbols for part in parts]),
        np.concatenate([part.origins for part in parts]),
        np.concatenate([part.last for part in parts]),
        np.concatenate([part.returns for part in parts]),
        np.concatenate([part.ranges for part in parts]),
    )


def volatility(returns: Floats, sessions: int = CONTEXT) -> Floats:
    """Return the root mean square of each window's last known returns: [n, C] -> [n], at least `FLOOR`."""
    recent = returns[:, -sessions:]
    known = np.isfinite(recent)
    squares = np.where(known, recent, 0.0) ** 2
    mean = squares.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    deviation: Floats = np.maximum(np.sqrt(mean), FLOOR)
    return deviation


def usual_volatility(frame: pd.DataFrame) -> float:
    """Return the median symbol's daily volatility.

    Raises:
        BadFrame: no symbol has two bars.
    """
    deviations = [np.sqrt(np.mean(log_returns(series.y) ** 2)) for series in series_of(frame) if len(series.y) > 1]
    if not deviations:
        raise BadFrame("no symbol has two bars: there is no return to learn from")
    return max(float(np.median(deviations)), FLOOR)


def mean_absolute_change(windows: Windows) -> Floats:
    """Return each window's mean |one-step change| in price units: the denominator of MASE (Hyndman & Koehler 2006)."""
    known = np.isfinite(windows.returns)
    steps = np.where(known, windows.returns, 0.0)
    prices = windows.last[:, None] * np.exp(np.cumsum(steps[:, ::-1], axis=1)[:, ::-1] * -1.0)  # before each return
    changes = np.abs(prices * np.expm1(steps))
    mean: Floats = changes.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean
