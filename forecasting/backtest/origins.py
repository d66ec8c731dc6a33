"""Rolling origins: where a backtest asks, what it may learn from first, and what came after.  Pure.

A split learns from bars up to `learn_until`; its origins come after an embargo.  What a model is shown are the windows
of the origins, cut from bars up to each; outcomes are kept apart and never handed to a model.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecasting.data.calendars import Moments, closes_after
from forecasting.data.windows import CONTEXT, BadFrame, Floats, Series, Windows, join, series_of, windows_at

WindowRows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class RollingSplit:
    """One fit of a model and the origins that it then forecasts.

    Attributes:
        learn_until: close of the last bar that may be learned from; targets end there, too.
        first, last: the first and the last origin, both later by the embargo at least.
    """

    learn_until: np.datetime64
    first: np.datetime64
    last: np.datetime64

    def learnable(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that a model may learn from."""
        return frame[frame["ds"].to_numpy(dtype="datetime64[ns]") <= self.learn_until].reset_index(drop=True)

    def rows(self, windows: Windows) -> WindowRows:
        """Return which windows this split forecasts."""
        return np.flatnonzero((windows.origins >= self.first) & (windows.origins <= self.last))


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked, by origin and symbol, and what came of it."""

    windows: Windows  # [n]
    targets: Moments  # [n, H] closes of the sessions asked for
    actual: Floats  # [n, H] closing prices in the frame's terms; NaN where that session has no bar

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def horizon(self) -> int:
        """Return the steps that are asked for."""
        return int(self.actual.shape[1])

    def moves(self) -> Floats:
        """Return ln(actual / last close): [n, H]."""
        logs: Floats = np.log(self.actual / self.windows.last[:, None])
        return logs


def rolling_splits(moments: Moments, sessions: int, embargo: int = 5, refit: int = 0) -> list[RollingSplit]:
    """Roll the origin over the last sessions.

    Args:
        moments: closes of all sessions, rising.
        sessions: how many of the last ones are forecast one step ahead.
        embargo: sessions between the last bar learned from and the first origin.
        refit: learn again after so many sessions; 0: once.

    Raises:
        BadFrame: there is nothing left to learn from.
    """
    first, end = len(moments) - 1 - sessions, len(moments) - 1
    if sessions < 1 or first - embargo < CONTEXT:
        raise BadFrame(
            f"{len(moments)} sessions are too few to forecast the last {sessions} after an embargo of {embargo}: "
            f"at least {sessions + embargo + CONTEXT + 1} are needed"
        )
    starts = range(first, end, refit or sessions)
    return [
        RollingSplit(moments[start - embargo], moments[start], moments[min(start + (refit or sessions), end) - 1])
        for start in starts
    ]


def rolling_splits_after(
    moments: Moments, learn_until: np.datetime64, sessions: int, embargo: int = 5
) -> list[RollingSplit]:
    """Return the one split of models that have learned already: their last origins, none within the embargo."""
    earliest = int(np.searchsorted(moments, learn_until, side="right")) - 1 + embargo
    first, end = max(earliest, len(moments) - 1 - sessions), len(moments) - 1
    if first >= end:
        raise BadFrame(f"no session is left to forecast after {learn_until} and an embargo of {embargo}")
    return [RollingSplit(moments[earliest - embargo], moments[first], moments[end - 1])]


def questions(frame: pd.DataFrame, asked: list[RollingSplit], horizon: int, exchange: str = "XNYS") -> Questions:
    """Cut the windows of all origins of some splits, and look up the outcomes, session by session.

    A symbol is asked for at each of its bars that has a full window before it.  A step is settled only by the bar of
    its own session: where that bar is missing, nothing is filled in.
    """
    parts, targets, actual = [], [], []
    for series, ends in _ends(frame, asked):
        wanted = closes_after(series.ds[ends], horizon, exchange=exchange)
        parts.append(windows_at(series, ends))
        targets.append(wanted)
        actual.append(_settled(series, wanted))
    windows = join(parts)
    order = np.lexsort([windows.symbols.astype(str), windows.origins])
    return Questions(windows[order], np.concatenate(targets)[order], np.concatenate(actual)[order])


def origins_asked(frame: pd.DataFrame, asked: list[RollingSplit]) -> dict[str, Moments]:
    """Return the origins of some splits by symbol, rising; symbols that are asked for nowhere are left out.

    Raises:
        BadFrame: no symbol has a full window at any origin.
    """
    origins = {series.symbol: series.ds[ends] for series, ends in _ends(frame, asked) if len(ends)}
    if not origins:
        last = max(split.last for split in asked)
        raise BadFrame(f"no symbol has {CONTEXT} bars before {last}: there is nothing to forecast")
    return origins


def _ends(frame: pd.DataFrame, asked: list[RollingSplit]) -> Iterator[tuple[Series, NDArray[np.int64]]]:
    first, last = min(split.first for split in asked), max(split.last for split in asked)
    for series in series_of(frame):
        ends = np.arange(CONTEXT - 1, len(series.y))
        yield series, ends[(series.ds[ends] >= first) & (series.ds[ends] <= last)]


def _settled(series: Series, targets: Moments) -> Floats:
    at = np.clip(np.searchsorted(series.ds, targets), 0, len(series.ds) - 1)
    return np.where(series.ds[at] == targets, series.y[at], np.nan)
