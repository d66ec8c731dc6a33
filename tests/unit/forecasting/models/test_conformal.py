"""Intervals that answer for how often they held: the learning, and its fold from the log of scores."""

import sqlite3
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from contracts.events import ForecastScored
from contracts.measures import LEVELS
from contracts.samples import sample
from forecasting.models.conformal import ASKED, CENTRAL_INTERVALS, START, asked_levels, calibrated, updated
from forecasting.models.naive import Naive
from forecasting.serving.calibration import Calibrations, calibrated_quantiles
from streaming.series_ids import SeriesIds
from tests.support.markets import bar, market

shares = st.floats(-0.2, 1.2)


def score(day: int, inside: bool = True, **changes: object) -> ForecastScored:
    fields = {"origin": bar(day=day).closed_at, "target_at": bar(day=day + 1).closed_at, "symbol": "A"}
    return replace(sample(ForecastScored), inside_80=inside, inside_95=inside, **(fields | changes))


def folded(*scores: ForecastScored) -> Calibrations:
    file = sqlite3.connect(":memory:")
    calibrations = Calibrations(file, SeriesIds(file), "stock-forecaster")
    for score in scores:
        calibrations.fold(score)
    return calibrations


def alphas(calibrations: Calibrations, day: int, version: str = "4", family: str = "transformer") -> np.ndarray:
    return calibrations.alphas("A", "P1D", version, family, bar(day=day).closed_at, 1)[0]


def test_levels_of_who_has_settled_nothing_are_the_nominal_ones() -> None:
    assert asked_levels(START) == pytest.approx(LEVELS)


@given(first=shares, second=shares)
def test_levels_of_any_state_never_cross_and_mirror_each_other(first: float, second: float) -> None:
    levels = asked_levels(np.array([first, second]))

    assert (np.diff(levels) >= 0).all()
    assert levels + levels[::-1] == pytest.approx(1.0)


def test_miss_widens_and_hit_narrows_the_interval() -> None:
    missed = updated(START, np.array([False, False]), 1)
    hit = updated(START, np.array([True, True]), 1)

    assert asked_levels(missed)[-1] > LEVELS[-1] > asked_levels(hit)[-1]
    assert asked_levels(missed)[-2] > LEVELS[-2] > asked_levels(hit)[-2]
    assert abs(updated(START, np.array([False, False]), 5) - START) * 5 == pytest.approx(abs(missed - START))


def test_quantiles_read_at_the_models_own_levels_are_its_own() -> None:
    quantiles = np.sort(np.random.default_rng(3).standard_normal((5, len(ASKED))), axis=1)

    assert calibrated(quantiles, ASKED, np.tile(ASKED, (5, 1))) == pytest.approx(quantiles)


@pytest.mark.parametrize("wrong", [0.6, 1.7])
def test_intervals_of_a_model_of_the_wrong_width_come_to_hold_what_they_say(wrong: float) -> None:
    random = np.random.default_rng(9)
    model, state, inside = wrong * ndtri(ASKED)[None], START[None], []
    for outcome in random.standard_normal(4000):
        quantiles = calibrated(model, ASKED, asked_levels(state))[0]
        held = np.array([[quantiles[1] <= outcome <= quantiles[-2], quantiles[0] <= outcome <= quantiles[-1]]])
        state = updated(state, held, 1)
        inside.append(held[0])

    assert np.mean(inside[1000:], axis=0) == pytest.approx(CENTRAL_INTERVALS, abs=0.02)


def test_fold_of_scores_twice_or_of_a_corrected_bar_is_the_fold_once() -> None:
    calibrations = folded(score(1), score(2, inside=False))
    once = alphas(calibrations, 3)
    for again in (score(1), score(2, inside=False), score(2, forecast_id="anew")):
        calibrations.fold(again)

    assert (alphas(calibrations, 3) == once).all()
    assert not (once == START).all()


def test_state_settled_after_an_origin_is_not_known_at_it() -> None:
    calibrations = folded(score(1), score(2, inside=False))

    assert (alphas(calibrations, 2) == START).all()
    assert (alphas(calibrations, 3) != START).all()


def test_new_version_begins_where_its_family_stands_and_another_family_at_the_start() -> None:
    calibrations = folded(score(1, inside=False), score(1, model_name="other"))

    assert (alphas(calibrations, 2, version="5") == alphas(calibrations, 2)).all()
    assert (alphas(calibrations, 2, version="5", family="arima") == START).all()
    assert (alphas(calibrations, 1, version="5") == START).all()


def test_calibrated_frame_of_the_start_is_the_models_own_and_keeps_its_point() -> None:
    model = Naive().fit(market())
    frame = market().groupby("unique_id").tail(64)
    known = {symbol: np.tile(START, (5, 1)) for symbol in ("S0", "S1", "S2")}

    answer = calibrated_quantiles(model.predict(frame, 5, ASKED.tolist()), known)

    pd.testing.assert_frame_equal(answer, model.predict(frame, 5, LEVELS))
    assert (answer["q0.5"] == answer["mean"]).all()


def test_calibrated_frame_of_one_symbol_that_missed_widens_that_one_only() -> None:
    model = Naive().fit(market())
    raw = model.predict(market().groupby("unique_id").tail(64), 5, ASKED.tolist())
    known = {symbol: np.tile(START, (5, 1)) for symbol in ("S0", "S1", "S2")}
    before = calibrated_quantiles(raw, known)

    after = calibrated_quantiles(raw, known | {"S1": np.tile(START - 0.02, (5, 1))})

    wider = (after["q0.975"] > before["q0.975"]) & (after["q0.1"] < before["q0.1"])
    assert set(after.loc[wider, "unique_id"]) == {"S1"}
    assert wider.sum() == 5
    assert timedelta(0) < after["ds"].iloc[1] - after["ds"].iloc[0]
