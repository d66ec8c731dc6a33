"""A backtest of many symbols, some at a time: what comes of it is what comes of all at once."""

import pandas as pd
import pytest

from forecasting.backtest.origins import rolling_splits
from forecasting.backtest.run import Backtest, BacktestResult
from forecasting.data.windows import BadFrame, rows_by_symbols
from forecasting.models.families import family
from tests.support.markets import market
from tests.unit.forecasting.backtest.test_replay import moments_of


def backtest_of(frame: pd.DataFrame) -> BacktestResult:
    """Backtest the families that need no network, learning twice."""
    makers = {name: lambda known, name=name: family(name)().fit(known) for name in ("naive", "arima")}
    rolled = rolling_splits(moments_of(frame), 70, 5, refit=40)
    return Backtest(frame=frame, splits=rolled, makers=makers, horizon=3, exchange="XNYS", warm_up=5).run()


@pytest.mark.parametrize("most", [1, 2])
def test_backtest_of_some_symbols_at_a_time_gives_what_all_at_once_give(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = market(7, 230)
    # One that is too young to be asked for, one without its last sessions, and none in the order of the names.
    frame = frame[(frame["unique_id"] != "S2") | (frame["ds"] >= moments_of(frame)[-20])]
    frame = frame[(frame["unique_id"] != "S5") | (frame["ds"] <= moments_of(frame)[-9])]
    frame = frame.sort_values("unique_id", ascending=False, kind="stable")
    whole = backtest_of(frame)

    monkeypatch.setattr("forecasting.backtest.run.SYMBOLS_AT_ONCE", most)

    parts = backtest_of(frame)
    for name in ("scores", "summary", "verdicts", "below"):
        pd.testing.assert_frame_equal(getattr(parts, name), getattr(whole, name), check_exact=True)
    assert (parts.poorest, parts.suspicions) == (whole.poorest, whole.suspicions)
    for model, daily in whole.held.items():
        pd.testing.assert_frame_equal(parts.held[model], daily)


def test_backtest_of_symbols_that_are_all_too_young_says_so() -> None:
    frame = market(2, 200)
    young = frame[frame["ds"] >= moments_of(frame)[-30]]

    with pytest.raises(BadFrame, match="no symbol has 64 bars"):
        Backtest(
            frame=young, splits=rolling_splits(moments_of(frame), 20, 5), makers={}, horizon=3, exchange="XNYS"
        ).run()


def test_symbols_are_parted_by_their_names_whatever_their_order_in_the_frame() -> None:
    frame = market(5, 3).sample(frac=1, random_state=3)

    parts = [frame.iloc[rows] for rows in rows_by_symbols(frame, 2)]

    assert [sorted(set(part["unique_id"])) for part in parts] == [["S0", "S1"], ["S2", "S3"], ["S4"]]
    for part in parts:
        own = frame[frame["unique_id"].isin(part["unique_id"])]
        pd.testing.assert_frame_equal(part, own.sort_values("unique_id", kind="stable"))
