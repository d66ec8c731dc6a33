"""What is wrong with bars is found and told, symbol by symbol, and never filled in."""

import numpy as np
import pandas as pd
import pytest

from forecasting.data.quality import ENOUGH, findings, lines_of, refused
from tests.support.markets import market


def kinds(frame: pd.DataFrame) -> list[tuple[str, str, int]]:
    return [(found.symbol, found.kind, found.count) for found in findings(frame)]


def changed(row: int, factor: float, bars: int = 1) -> pd.DataFrame:
    frame = market(1, 150)
    frame.loc[row : row + bars - 1, ["y", "high", "low"]] *= factor
    return frame


def test_market_without_fault_has_no_findings() -> None:
    assert findings(market(3, 150)) == []


def test_missing_sessions_are_a_gap_with_its_first_day() -> None:
    frame = market(2, 150)
    first = frame["ds"].iloc[50]

    (found,) = findings(frame.drop(index=[50, 51, 90]))

    assert (found.symbol, found.kind, found.count, found.first) == ("S0", "GAP", 3, f"{first:%Y-%m-%d}")


def test_bar_on_a_day_without_a_session_is_told() -> None:
    frame = market(1, 150)
    saturday = frame.iloc[[3]].assign(ds=pd.Timestamp("2006-01-07 21:00"))

    assert kinds(pd.concat([frame, saturday]).sort_values("ds")) == [("S0", "NO_SESSION", 1)]


def test_half_price_for_one_day_is_an_outlier_and_a_price_that_stays_halved_a_jump() -> None:
    assert kinds(changed(70, 0.5)) == [("S0", "OUTLIER", 1)]
    assert kinds(changed(70, 0.5, 80)) == [("S0", "JUMP", 1)]


def test_close_that_stands_still_is_a_suspended_symbol() -> None:
    frame = market(1, 150)
    frame.loc[60:66, "y"] = frame.loc[60, "y"]

    assert kinds(frame) == [("S0", "SUSPENDED", 6)]


def test_symbol_that_ends_early_is_stale_and_a_young_one_short() -> None:
    frame = market(2, 150)
    ended = frame.drop(index=range(130, 150))
    young = frame.drop(index=range(150, 300 - ENOUGH + 1))

    assert kinds(ended) == [("S0", "STALE", 20)]
    assert kinds(young) == [("S1", "SHORT", ENOUGH - 1)]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("y", np.nan, "missing"), ("low", 1e6, "does not hold"), ("open", -1.0, "missing or not positive")],
)
def test_bar_that_breaks_an_invariant_is_refused_with_the_reason(column: str, value: float, words: str) -> None:
    bars = market(2, 100).assign(open=lambda frame: frame["y"])
    bars.loc[7, column] = value

    kept, found = refused(bars)

    assert len(kept) == len(bars) - 1
    assert words in lines_of(found)[0]
    assert lines_of(found)[0].startswith("S0: BROKEN")


def test_bar_told_twice_is_kept_once() -> None:
    bars = market(1, 100).assign(open=lambda frame: frame["y"])

    kept, found = refused(pd.concat([bars, bars.iloc[[5]]]))

    assert len(kept) == 100
    assert [(each.kind, each.count) for each in found] == [("BROKEN", 1)]
