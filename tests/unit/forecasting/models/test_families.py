"""One suite for every family: what holds for one holds for all, and for the next one added to the table."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.measures import LEVELS
from forecasting.data.calendars import closes_after
from forecasting.data.frames import symbol_frame
from forecasting.data.windows import CONTEXT, MAX_HORIZON, series_of, windows_at
from forecasting.models.base import BadFrame, Estimator, TooShort, quantile_column
from forecasting.models.families import FAMILIES, family, load_estimator
from forecasting.training.holdout import score_holdout, split_holdout
from tests.support.estimators import made
from tests.support.markets import bar, market, symbol_of
from tests.support.markets import split as split_of

RANDOM = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=list(FAMILIES))
def fitted(request: pytest.FixtureRequest) -> Estimator:
    return made(request.param).fit(market())


def tails(frame: pd.DataFrame, bars: int = CONTEXT) -> pd.DataFrame:
    return frame.groupby("unique_id").tail(bars).reset_index(drop=True)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_family_before_fit_only_stores_its_parameters(name: str) -> None:
    estimator = made(name)

    assert type(estimator)(**estimator.parameters()).parameters() == estimator.parameters()
    assert not [attribute for attribute in vars(estimator) if attribute.endswith("_")]


def test_family_fitted_twice_from_a_seed_forecasts_the_same(fitted: Estimator) -> None:
    again = made(fitted.family)

    assert again.fit(market()) is again
    pd.testing.assert_frame_equal(again.predict(tails(market())), fitted.predict(tails(market())), check_exact=True)


def test_forecast_is_a_long_frame_of_real_sessions(fitted: Estimator) -> None:
    frame = tails(market())

    forecast = fitted.predict(frame, horizon=3, levels=[0.1, 0.5, 0.9])

    assert list(forecast.columns) == ["unique_id", "ds", "step", "mean", "q0.1", "q0.5", "q0.9"]
    assert forecast["unique_id"].tolist() == ["S0"] * 3 + ["S1"] * 3 + ["S2"] * 3
    assert forecast["step"].tolist() == [1, 2, 3] * 3
    last = frame["ds"].to_numpy(dtype="datetime64[ns]")[-1:]
    assert forecast["ds"].to_numpy()[:3].tolist() == closes_after(last, 3)[0].tolist()
    assert (forecast["mean"] == forecast["q0.5"]).all()
    assert np.isfinite(forecast.drop(columns=["unique_id", "ds"])).all(axis=None)


@RANDOM
@given(
    bars=st.integers(CONTEXT, 150),
    horizon=st.integers(1, MAX_HORIZON),
    seed=st.integers(0, 10_000),
    levels=st.lists(st.floats(0.001, 0.999), min_size=1, max_size=9, unique=True).map(sorted),
)
def test_quantiles_of_any_market_never_cross(
    fitted: Estimator, bars: int, horizon: int, seed: int, levels: list[float]
) -> None:
    forecast = fitted.predict(market(2, bars, seed), horizon, levels)

    columns = [quantile_column(level) for level in levels if quantile_column(level) in forecast]
    values = forecast[columns].to_numpy()
    assert np.isfinite(values).all()
    assert (values > 0).all()
    assert (np.diff(values, axis=1) >= 0).all()


@RANDOM
@given(origin=st.integers(CONTEXT, 118), seed=st.integers(0, 999), factor=st.floats(0.2, 5.0))
def test_forecast_of_a_mutated_future_does_not_change(fitted: Estimator, origin: int, seed: int, factor: float) -> None:
    frame = market(2, 120, seed)
    later = frame.groupby("unique_id").cumcount() > origin
    columns = ["y", "high", "low"]
    mutated = frame.copy()
    mutated.loc[later, columns] *= factor
    removed = frame[~later]

    forecasts = [forecast_at(fitted, futures, origin) for futures in (frame, mutated, removed)]

    assert (forecasts[0] == forecasts[1]).all()
    assert (forecasts[0] == forecasts[2]).all()


def forecast_at(estimator: Estimator, frame: pd.DataFrame, origin: int) -> np.ndarray:
    """Forecast each symbol at one row, from windows cut out of a longer history as the comparison does."""
    levels = np.array(LEVELS)
    parts = [estimator.log_quantiles(windows_at(s, np.array([origin])), 5, levels) for s in series_of(frame)]
    return np.concatenate(parts)


def test_forecast_from_the_log_does_not_know_what_is_recorded_later(fitted: Estimator) -> None:
    prices = symbol_of("S0", np.random.default_rng(2), 90)["y"]
    bars = [bar(day=day, close=float(price)) for day, price in enumerate(prices)]
    origin = bars[75].closed_at
    then = fitted.predict(symbol_frame(bars[:76], [], origin=origin, known_at=origin))
    later = [
        *bars,
        *(bar(day=day, close=float(prices[day]) * 3, revision=1, recorded_at=bars[80].closed_at) for day in range(90)),
    ]
    splits = [
        split_of("S0", bars[78].closed_at, 2.0),  # announced before the origin, effective after it
        split_of("S0", bars[40].closed_at, 3.0, recorded_at=bars[80].closed_at),  # before it, told after it
    ]

    now = fitted.predict(symbol_frame(later, splits, origin=origin, known_at=origin))

    pd.testing.assert_frame_equal(then, now, check_exact=True)


def test_forecast_in_another_currency_is_the_same_forecast(fitted: Estimator) -> None:
    frame = tails(market())
    scaled = frame.assign(**{column: frame[column] * 250 for column in ("y", "high", "low")})

    ours, theirs = (f.drop(columns=["unique_id", "ds", "step"]) for f in map(fitted.predict, (frame, scaled)))

    np.testing.assert_allclose(theirs, ours * 250, rtol=1e-6)


def test_forecast_in_a_batch_is_the_forecast_alone(fitted: Estimator) -> None:
    frame = tails(market(seed=23))

    batch = fitted.predict(frame)
    alone = pd.concat([fitted.predict(rows) for _, rows in frame.groupby("unique_id")], ignore_index=True)

    pd.testing.assert_frame_equal(batch, alone, rtol=1e-6)


def test_forecast_of_bars_before_the_context_is_not_changed_by_them(fitted: Estimator) -> None:
    pd.testing.assert_frame_equal(fitted.predict(market()), fitted.predict(tails(market())), check_exact=True)


def test_forecast_of_a_symbol_never_seen_is_made(fitted: Estimator) -> None:
    stranger = market(1, 80, seed=99).assign(unique_id="NEW")

    assert len(fitted.predict(stranger)) == 5


def test_forecast_without_ranges_is_made(fitted: Estimator) -> None:
    assert len(fitted.predict(tails(market()).drop(columns=["high", "low"]))) == 15


def test_forecast_of_a_standstill_is_finite(fitted: Estimator) -> None:
    still = tails(market(1)).assign(y=10.0, high=10.0, low=10.0)

    forecast = fitted.predict(still)

    assert np.isfinite(forecast["q0.975"]).all()
    assert forecast["mean"].to_numpy() == pytest.approx(10.0, rel=0.01)


def test_forecast_of_the_least_history_is_made_and_of_less_refused(fitted: Estimator) -> None:
    least = market(2, fitted.min_history)

    assert len(fitted.predict(least)) == 10
    assert fitted.lacking(least) == {}
    short = least.drop(index=0)
    with pytest.raises(TooShort, match=f"S0: {fitted.family} needs {fitted.min_history} bars"):
        fitted.predict(short)
    assert list(fitted.lacking(short)) == ["S0"]


@pytest.mark.parametrize("horizon", [0, -1, MAX_HORIZON + 1])
def test_forecast_of_an_impossible_horizon_is_refused(fitted: Estimator, horizon: int) -> None:
    with pytest.raises(ValueError, match="horizon must be between 1 and 20"):
        fitted.predict(tails(market()), horizon)


def test_forecast_of_impossible_levels_is_refused(fitted: Estimator) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        fitted.predict(tails(market()), 5, [0.5, 0.1])


def test_forecast_of_a_broken_frame_is_refused(fitted: Estimator) -> None:
    frame = tails(market())
    frame.loc[70, "y"] = float("nan")

    with pytest.raises(BadFrame, match="S1: y is nan"):
        fitted.predict(frame)


def test_model_saved_and_loaded_forecasts_the_same(fitted: Estimator, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")

    loaded = load_estimator(tmp_path / "model")

    frame = tails(market(seed=5))
    pd.testing.assert_frame_equal(loaded.predict(frame), fitted.predict(frame), check_exact=True)
    assert loaded.parameters() == fitted.parameters()
    assert loaded.curves() == fitted.curves()
    for file in (tmp_path / "model").rglob("*.*"):
        assert file.suffix in {".json", ".npz"}, "only JSON and plain arrays, never a pickle"


def test_model_of_another_family_is_not_loaded(fitted: Estimator, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    other = next(name for name in FAMILIES if name != fitted.family)

    with pytest.raises(ValueError, match=f"holds a {fitted.family} model, not {other}"):
        family(other).load(tmp_path)


@pytest.mark.slow
def test_intervals_on_later_sessions_hold_about_what_they_say(fitted: Estimator) -> None:
    known, held = split_holdout(market(4, 600, seed=31), 110, 5)

    scores = score_holdout(made(fitted.family).fit(known), held)

    assert scores.coverage_80 == pytest.approx(0.8, abs=0.08)
    assert scores.coverage_95 == pytest.approx(0.95, abs=0.04)
    assert scores.mase_by_step[0] > 0.8, "far better than a random walk on a random walk: it has looked ahead"


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_network_of_too_little_history_says_what_it_needs(name: str) -> None:
    with pytest.raises(BadFrame, match="needs 500 windows"):
        made(name).fit(market(1, 100))


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_network_tells_each_epoch(name: str) -> None:
    heard = []

    estimator = made(name).fit(market(), heard.append)

    assert [epoch.number for epoch in heard] == [1, 2]
    assert estimator.curves() == heard


@pytest.mark.slow
def test_networks_loaded_one_after_another_make_tensorflow_warn_of_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made("lstm").fit(market()).save(tmp_path)
    tensorflow = logging.getLogger("tensorflow")
    tensorflow.addHandler(caplog.handler)

    for _ in range(7):
        load_estimator(tmp_path).predict(tails(market()))

    tensorflow.removeHandler(caplog.handler)
    assert caplog.messages == []


def test_family_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="no model family 'prophet'"):
        family("prophet")
