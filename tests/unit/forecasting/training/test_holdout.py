import pandas as pd
import pytest

from forecasting.data.windows import CONTEXT, BadFrame
from forecasting.models.naive import Naive
from forecasting.training.holdout import Scores, score_holdout, split_holdout
from tests.support.markets import market


@pytest.fixture(scope="module")
def naive() -> Scores:
    known, held = split_holdout(market(3, 500), 100, 5)
    return score_holdout(Naive().fit(known), held)


def test_split_lets_models_see_nothing_of_any_target() -> None:
    frame = market(2, 400)

    known, held = split_holdout(frame, 60, 5)

    ((windows, actual, _),) = held.blocks()
    assert known["ds"].max() == pd.Timestamp(windows.origins.min()) == pd.Timestamp(held.first)
    assert len(known) == 2 * 340
    assert len(windows) == 2 * (60 - 5 + 1)
    assert actual[0, 0] == pytest.approx(frame["y"].iloc[340])


def test_split_of_a_mutated_hold_out_leaves_what_models_see_as_it_was() -> None:
    frame = market(2, 400)
    known, _ = split_holdout(frame, 60, 5)
    late = frame["ds"] > known["ds"].max()

    mutated, _ = split_holdout(frame.assign(y=frame["y"].where(~late, 2 * frame["y"])), 60, 5)

    pd.testing.assert_frame_equal(known, mutated)


def test_split_of_a_short_history_holds_out_a_fifth() -> None:
    known, _ = split_holdout(market(1, 200), 252, 5)

    assert len(known) == 160


def test_split_of_too_little_says_what_is_missing() -> None:
    with pytest.raises(BadFrame, match="too few"):
        split_holdout(market(1, 20), 252, 5)
    with pytest.raises(BadFrame, match=f"{CONTEXT + 5} bars"):
        split_holdout(market(1, 60), 252, 5)


def test_split_leaves_out_a_symbol_that_stands_still() -> None:
    frame = market(2, 400)
    frame.loc[frame["unique_id"] == "S1", ["y", "high", "low"]] = 10.0

    _, held = split_holdout(frame, 60, 5)

    assert {symbol for windows, _, _ in held.blocks() for symbol in windows.symbols} == {"S0"}


def test_scores_of_some_symbols_at_a_time_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    known, held = split_holdout(market(7, 300).sample(frac=1, random_state=1).sort_values("ds"), 60, 5)
    model = Naive().fit(known)
    whole = score_holdout(model, held)

    monkeypatch.setattr("forecasting.training.holdout._SYMBOLS", 2)

    parts = score_holdout(model, held)
    assert parts.n == whole.n
    assert (parts.mase, parts.scrps) == pytest.approx((whole.mase, whole.scrps), rel=1e-12)
    assert parts.losses == pytest.approx(whole.losses, rel=1e-12)
    assert (parts.below, parts.coverage_80_by_step) == (whole.below, whole.coverage_80_by_step)


def test_score_of_the_random_walk_is_calibrated_and_as_good_as_itself(naive: Scores) -> None:
    assert naive.n == 3 * 96 * 5
    assert naive.coverage_80 == pytest.approx(0.8, abs=0.08)
    assert naive.coverage_95 == pytest.approx(0.95, abs=0.04)
    assert 0.8 < naive.mase_by_step[0] < 1.25
    assert list(naive.scrps_by_step) == sorted(naive.scrps_by_step)
    assert len(naive.losses) == 96
