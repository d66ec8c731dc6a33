"""What is wrong with bars: found and told by symbol, never filled in.  Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecasting.data.calendars import Moments, closes_after
from forecasting.data.windows import CONTEXT, MAX_HORIZON, Series, series_of

JUMP = float(np.log(1.6))  # |log return| of a session: a split of two for one moves by 0.69, an ordinary day by 0.02
SUSPENDED = 5  # sessions in a row without any move
ENOUGH = CONTEXT + MAX_HORIZON  # bars below which nothing can be learned from a symbol
_BACK = 0.25  # of a jump: what may be left of it when the next session takes it back


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a symbol's bars.

    Attributes:
        kind: GAP, NO_SESSION, SUSPENDED, STALE, SHORT, OUTLIER, JUMP or BROKEN.
        count: sessions or bars concerned.
        first: the first of them, `YYYY-MM-DD`.
    """

    symbol: str
    kind: str
    count: int
    first: str
    detail: str


def refused(bars: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Part bars that cannot be true from the others.

    Args:
        bars: `unique_id, ds, open, high, low, y`, as a file tells them.

    Returns:
        The bars that hold low <= min(open, close) <= max(open, close) <= high, all finite and positive, the first of
        each moment; and what was found of the others.
    """
    prices = bars[["open", "high", "low", "y"]].to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(prices).all(axis=1) & (prices > 0).all(axis=1)
        ordered = (bars["low"] <= bars[["open", "y"]].min(axis=1)) & (bars[["open", "y"]].max(axis=1) <= bars["high"])
    twice = bars.duplicated(["unique_id", "ds"]).to_numpy()
    reasons = (
        (~whole, "a price is missing or not positive"),
        (whole & ~ordered.to_numpy(), "low <= open, close <= high does not hold"),
        (twice, "another bar of the same session"),
    )
    found = [
        Finding(str(symbol), "BROKEN", len(some), _day(some["ds"].min()), f"refused: {reason}")
        for rows, reason in reasons
        for symbol, some in bars[rows].groupby("unique_id")
    ]
    kept = bars[whole & ordered.to_numpy() & ~twice].sort_values(["unique_id", "ds"], kind="stable")
    return kept.reset_index(drop=True), found


def findings(frame: pd.DataFrame, exchange: str = "XNYS") -> list[Finding]:
    """Look through a long frame `unique_id, ds, y` (and `high, low`), whose prices know of all announced splits."""
    if not len(frame):
        return []
    newest = frame["ds"].to_numpy(dtype="datetime64[ns]").max()
    return [
        found
        for series in series_of(frame)
        for looks in (_sessions(series, newest, exchange), _standstills(series), _moves(series))
        for found in looks
    ]


def lines_of(found: Iterable[Finding]) -> list[str]:
    """Say the findings in lines, in their order."""
    return [f"{each.symbol}: {each.kind} {each.first} ({each.count}): {each.detail}" for each in found]


def rows(found: Iterable[Finding]) -> list[dict[str, str | int]]:
    """Return the findings as JSON takes them."""
    return [asdict(each) for each in found]


def _sessions(series: Series, newest: np.datetime64, exchange: str) -> Iterator[Finding]:
    if len(series.y) < ENOUGH:
        detail = f"{len(series.y)} bars, {ENOUGH} are needed to learn from it"
        yield Finding(series.symbol, "SHORT", len(series.y), _day(series.ds[0]), detail)
    expected = _between(series.ds[0], newest, exchange)
    own = expected[expected <= series.ds[-1]]
    missing = own[~np.isin(own, series.ds)]
    if len(missing):
        yield Finding(
            series.symbol, "GAP", len(missing), _day(missing[0]), "sessions without a bar; left out, not filled in"
        )
    strange = series.ds[~np.isin(series.ds, expected)]
    if len(strange):
        yield Finding(
            series.symbol, "NO_SESSION", len(strange), _day(strange[0]), f"bars where {exchange} has no close"
        )
    late = expected[expected > series.ds[-1]]
    if len(late) >= SUSPENDED:
        yield Finding(series.symbol, "STALE", len(late), _day(late[0]), "other symbols have newer bars")


def _standstills(series: Series) -> Iterator[Finding]:
    still = np.concatenate([[False], np.diff(series.y) == 0, [False]])
    edges = np.flatnonzero(np.diff(still.astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    long = np.flatnonzero(lengths >= SUSPENDED)
    if len(long):
        first = series.ds[edges[::2][long[0]] + 1]
        detail = f"{len(long)} times the close stood still for {SUSPENDED} sessions or more"
        yield Finding(series.symbol, "SUSPENDED", int(lengths[long].sum()), _day(first), detail)


def _moves(series: Series) -> Iterator[Finding]:
    moves = np.diff(np.log(series.y))
    skip = False
    for at in np.flatnonzero(np.abs(moves) > JUMP):
        if skip:
            skip = False
            continue
        after = moves[at] + moves[at + 1] if at + 1 < len(moves) else np.inf
        factor, day = float(np.exp(moves[at])), _day(series.ds[at + 1])
        if abs(after) < _BACK * abs(moves[at]):
            skip = True
            yield Finding(series.symbol, "OUTLIER", 1, day, f"the price times {factor:.2f} for one session, then back")
        else:
            yield Finding(
                series.symbol, "JUMP", 1, day, f"the price times {factor:.2f} in one session, and no split is known"
            )


def _between(first: np.datetime64, last: np.datetime64, exchange: str) -> Moments:
    most = int((last - first) / np.timedelta64(1, "D")) + 2
    before = np.array([first - np.timedelta64(1, "s")])
    closes = closes_after(before, min(most, 1 + most * 5 // 7 + 5), exchange=exchange)[0]
    known: Moments = closes[closes <= last]
    return known


def _day(moment: Any) -> str:
    return f"{pd.Timestamp(moment):%Y-%m-%d}"
