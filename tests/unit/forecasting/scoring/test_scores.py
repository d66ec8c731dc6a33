"""The arithmetic of scores, by hand."""

from datetime import date

import pytest

from contracts.actions import Split
from contracts.parts import ModelRef, SettlingBar
from forecasting.data.bar_table import PlacedBar
from forecasting.scoring.scores import Claim, ErrorScale, error_scale, pinball_loss, score_step
from tests.support.markets import bar

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
VALUES = (90.0, 94.0, 97.0, 100.0, 103.0, 106.0, 110.0)


def claim(**changes):
    fields = {
        "forecast_id": "f",
        "symbol": "A",
        "interval": "P1D",
        "origin": bar("A", 0).closed_at,
        "model": ModelRef(name="m", version="3", family="arima", run_id="r", role="SHADOW"),
        "step": 2,
        "target_at": bar("A", 2).closed_at,
        "mean": 100.0,
        "levels": LEVELS,
        "values": VALUES,
    }
    return Claim(**(fields | changes))


def scored(close, factor=1.0, revision=0, now=None):
    settling = bar("A", 2, close, revision)
    placed = PlacedBar(settling.closed_at, revision, 1, 9, settling.recorded_at, close, {})
    return score_step(claim(), placed, ErrorScale(98.0, 1.5), factor, now or settling.recorded_at)


@pytest.mark.parametrize(("actual", "loss"), [(103.0, 0.1 * 3), (97.0, 0.9 * 3), (100.0, 0.0)])
def test_pinball_loss_of_a_low_quantile_is_cheap_above_and_dear_below(actual, loss):
    assert pinball_loss(0.1, 100.0, actual) == pytest.approx(loss)


def test_score_of_a_step_is_the_arithmetic_of_its_fields():
    found = scored(105.0)
    assert found.actual == 105.0
    assert found.absolute_error == 5.0
    assert found.squared_error == 25.0
    assert [item.level for item in found.pinball] == list(LEVELS)
    expected = [0.025 * 15, 0.1 * 11, 0.25 * 8, 0.5 * 5, 0.75 * 2, 0.1 * 1, 0.025 * 5]
    assert [item.loss for item in found.pinball] == pytest.approx(expected)
    closed_at = bar("A", 2).closed_at
    assert found.bar == SettlingBar(closed_at=closed_at, revision=0, topic="stock-data", partition=1, offset=9)
    assert found.naive_absolute_error == 7.0
    assert found.scale == 1.5
    assert (found.forecast_id, found.step, found.target_at) == ("f", 2, bar("A", 2).closed_at)
    assert (found.model_name, found.model_version, found.family, found.role) == ("m", "3", "arima", "SHADOW")


@pytest.mark.parametrize(
    ("close", "inside_80", "inside_95"),
    [(106.0, True, True), (106.01, False, True), (94.0, True, True), (93.9, False, True), (110.01, False, False)],
)
def test_interval_bounds_belong_to_the_interval(close, inside_80, inside_95):
    found = scored(close)
    assert (found.inside_80, found.inside_95) == (inside_80, inside_95)


def test_bar_after_a_split_is_brought_into_the_shares_of_the_origin():
    found = scored(52.5, factor=2.0)
    assert found.actual == 105.0
    assert found.absolute_error == 5.0


def test_score_is_never_recorded_before_its_bar():
    assert scored(100.0, revision=3, now=bar("A", 0).closed_at).recorded_at == bar("A", 2, revision=3).recorded_at


def test_yardstick_is_the_mean_one_step_change_in_terms_of_the_last_session():
    days = [date(2006, 1, day) for day in (4, 5, 6, 9)]
    splits = [Split(date(2006, 1, 6), 2.0)]
    found = error_scale([100.0, 104.0, 53.0, 50.0], days, splits)
    assert found == ErrorScale(50.0, pytest.approx((2 + 1 + 3) / 3))


def test_yardstick_of_one_bar_has_no_scale():
    assert error_scale([10.0], [date(2006, 1, 4)], []) == ErrorScale(10.0, 0.0)


def test_forecast_without_the_levels_of_the_intervals_is_refused():
    with pytest.raises(ValueError, match="not in tuple"):
        score_step(
            claim(levels=(0.5,), values=(100.0,)),
            PlacedBar(bar("A", 2).closed_at, 0, 1, 9, bar("A", 2).recorded_at, 100.0, {}),
            ErrorScale(1.0, 1.0),
            1.0,
            bar("A", 2).closed_at,
        )
