import numpy as np
import pandas as pd
import pytest

from forecasting.data.windows import (
    CONTEXT,
    MOST_WINDOWS,
    BadFrame,
    WindowSet,
    check_frame,
    join,
    last_windows,
    log_returns,
    mean_absolute_change,
    parkinson_variance,
    series_of,
    targets_at,
    volatility,
    windows_at,
)
from tests.support.markets import market, sessions


def test_windows_end_with_the_return_into_their_origin() -> None:
    frame = market(1, 100)
    (series,) = series_of(frame)

    windows = windows_at(series, np.array([80]))

    assert windows.returns[0].tolist() == log_returns(series.y[80 - CONTEXT + 1 : 81]).tolist()
    assert windows.last[0] == series.y[80]
    assert windows.origins[0] == series.ds[80]
    assert windows.ranges[0, -1] == parkinson_variance(series.high, series.low)[80]


def test_windows_of_a_short_history_are_padded_on_the_left() -> None:
    frame = market(1, 5)

    windows = last_windows(frame)

    assert windows.counts.tolist() == [4]
    assert np.isnan(windows.returns[0, :-4]).all()
    assert np.isnan(windows.ranges[0, :-4]).all()


def test_windows_of_one_bar_know_no_return() -> None:
    assert last_windows(market(1, 1)).counts.tolist() == [0]


def test_targets_are_cumulative_log_returns_of_the_bars_after() -> None:
    (series,) = series_of(market(1, 90))

    targets = targets_at(series, np.array([70]), 3)

    assert targets[0] == pytest.approx(np.log(series.y[71:74] / series.y[70]))


def test_training_windows_are_full_and_in_time_order() -> None:
    frame = market(3, 120)

    windows, targets = WindowSet(frame, 5).thinned(MOST_WINDOWS)

    assert len(windows) == len(targets) == 3 * (120 - CONTEXT + 1 - 5)
    assert (np.diff(windows.origins) >= np.timedelta64(0)).all()
    assert (windows.counts == CONTEXT - 1).all()


def test_training_set_cuts_any_rows_as_if_all_windows_were_laid_out() -> None:
    frame = pd.concat([market(3, 120), market(2, 30, seed=8).replace({"S0": "T0", "S1": "Ä"})], ignore_index=True)
    cut = [(series, np.arange(CONTEXT - 1, len(series.y) - 5)) for series in series_of(frame)]
    laid_out = join([windows_at(series, ends) for series, ends in cut])
    moves = np.concatenate([targets_at(series, ends, 5) for series, ends in cut])
    order = np.lexsort([laid_out.symbols.astype(str), laid_out.origins])
    windows = WindowSet(frame, 5)

    np.testing.assert_array_equal(windows.origins, laid_out.origins[order])
    for rows in (np.arange(len(windows)), np.array([100, 3, 3, 57]), np.array([], dtype=np.intp)):
        some, targets = windows.take(rows)
        np.testing.assert_array_equal(targets, moves[order][rows])
        for name in ("symbols", "origins", "last", "returns", "ranges"):
            np.testing.assert_array_equal(getattr(some, name), getattr(laid_out[order][rows], name))


def test_training_windows_of_a_short_history_are_none() -> None:
    windows, targets = WindowSet(market(2, 30), 5).thinned(MOST_WINDOWS)

    assert len(windows) == len(targets) == 0


def test_last_windows_are_each_symbols_to_the_bit_whatever_stands_beside_it() -> None:
    frames = [market(1, bars, seed=bars).replace({"S0": f"S{bars}"}) for bars in (200, 1, 64, 2, 65, 63)]
    frames[2].loc[60, ["high", "low"]] = [np.nan, 1.0]
    interleaved = pd.concat(frames).sort_values("ds", kind="stable", ignore_index=True)
    for frame in (interleaved, interleaved.drop(columns=["high", "low"])):
        found = last_windows(frame)
        wanted = join([windows_at(series, np.array([len(series.y) - 1])) for series in series_of(frame)])
        for name in ("symbols", "origins", "last", "returns", "ranges"):
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_windows_without_ranges_know_returns_only() -> None:
    windows = last_windows(market(1, 80).drop(columns=["high", "low"]))

    assert np.isnan(windows.ranges).all()
    assert np.isfinite(windows.returns).all()


def test_series_of_interleaved_symbols_keep_their_own_rows() -> None:
    frame = market(2, 10).sort_values(["ds", "unique_id"]).reset_index(drop=True)

    found = {series.symbol: series.y.tolist() for series in series_of(frame)}

    assert found == {name: rows["y"].tolist() for name, rows in market(2, 10).groupby("unique_id")}


def test_volatility_of_a_standstill_is_the_floor() -> None:
    assert volatility(np.zeros((1, 63)))[0] > 0


def test_mean_absolute_change_is_that_of_the_prices() -> None:
    frame = market(1, CONTEXT)

    scale = mean_absolute_change(last_windows(frame))

    assert scale[0] == pytest.approx(np.abs(np.diff(frame["y"])).mean())


def test_parkinson_variance_of_an_impossible_range_is_unknown() -> None:
    found = parkinson_variance(np.array([1.0, 2.0, np.nan, 2.0]), np.array([2.0, 1.0, 1.0, 0.0]))

    assert np.isnan(found[[0, 2, 3]]).all()
    assert found[1] == pytest.approx(np.log(2) / 4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": [1.0, np.nan, 2.0]}, "S: y is nan at 2006-01-05"),
        ({"y": [1.0, -1.0, 2.0]}, "not a positive finite price"),
        ({"y": [1.0, np.inf, 2.0]}, "not a positive finite price"),
        ({"ds": sessions(3)[[0, 2, 1]]}, "does not come after"),
        ({"ds": sessions(3)[[0, 1, 1]]}, "does not come after"),
    ],
)
def test_check_of_a_broken_frame_says_where(change: dict, words: str) -> None:
    frame = pd.DataFrame({"unique_id": "S", "ds": sessions(3), "y": [1.0, 2.0, 3.0]}).assign(**change)

    with pytest.raises(BadFrame, match=words):
        check_frame(frame)


def test_check_of_a_frame_without_a_column_names_it() -> None:
    with pytest.raises(BadFrame, match="lacks column y"):
        check_frame(market(1, 3).drop(columns="y"))
    with pytest.raises(BadFrame, match="no rows"):
        check_frame(market(1, 3).head(0))
