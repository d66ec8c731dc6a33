"""Prices that hardly move, or move evenly: every family's centre is in units of its width, whatever the market did."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from forecasting.data.windows import MAX_HORIZON, Floats
from forecasting.models.arima import Arima
from forecasting.models.base import Estimator
from forecasting.models.families import FAMILIES
from forecasting.models.naive import Naive
from tests.support.estimators import made
from tests.support.markets import market, sessions

Prices = Callable[[int], Floats]


def stopped(bars: int) -> Floats:
    moving = 50 * np.exp(0.01 * np.random.default_rng(1).standard_normal(bars).cumsum())
    return np.where(np.arange(bars) < bars - 60, moving, moving[-61:][0])


STILL: dict[str, Prices] = {
    "still": lambda bars: np.full(bars, 7.0),
    "tiny": lambda bars: np.full(bars, 0.0001),
    "large": lambda bars: np.full(bars, 600_000.0),
    "still for 60 sessions": stopped,
    "moved once": lambda bars: np.where(np.arange(bars) < bars // 2, 7.0, 7.7),
    "up and down": lambda bars: 7 + 0.01 * (np.arange(bars) % 2),
}
EVEN: dict[str, Prices] = {
    "0.01 up": lambda bars: 7 + 0.01 * np.arange(bars),
    "0.1 % up": lambda bars: 7 * 1.001 ** np.arange(bars),
    "0.1 % down": lambda bars: 7 * 0.999 ** np.arange(bars),
    "1 % up": lambda bars: 7 * 1.01 ** np.arange(bars),
    "0.001 % up": lambda bars: 7 * 1.00001 ** np.arange(bars),
    "tiny and up": lambda bars: 0.0001 * 1.001 ** np.arange(bars),
    "large and 0.01 up": lambda bars: 600_000 + 0.01 * np.arange(bars),
}


def rising(symbols: int = 4, bars: int = 420) -> pd.DataFrame:
    """Return a market in which everything rises by 0.1 % a session beside its noise."""
    frame = market(symbols, bars)
    growth = np.exp(0.001 * frame.groupby("unique_id").cumcount())
    return frame.assign(**{name: frame[name] * growth for name in ("y", "high", "low")})


def history(prices: Floats, symbol: str = "H", *, ranges: bool = False) -> pd.DataFrame:
    frame = pd.DataFrame({"unique_id": symbol, "ds": sessions(len(prices)), "y": prices})
    return frame.assign(high=frame["y"], low=frame["y"]) if ranges else frame


def interval(forecast: pd.DataFrame) -> tuple[Floats, Floats]:
    return forecast["q0.025"].to_numpy(), forecast["q0.975"].to_numpy()


@pytest.fixture(scope="module", params=list(FAMILIES))
def risen(request: pytest.FixtureRequest) -> Estimator:
    return made(request.param).fit(rising())


@pytest.mark.parametrize("ranges", [False, True])
@pytest.mark.parametrize("name", [*STILL, *EVEN])
def test_interval_of_a_price_that_hardly_moves_or_moves_evenly_holds_it(
    risen: Estimator, name: str, ranges: bool
) -> None:
    prices = (STILL | EVEN)[name](120)

    forecast = risen.predict(history(prices, ranges=ranges), MAX_HORIZON)

    low, high = interval(forecast)
    assert (low < prices[-1]).all()
    assert (prices[-1] < high).all()
    if name in EVEN:
        following = prices[-1] * (prices[-1] / prices[-2]) ** np.arange(1, MAX_HORIZON + 1)
        assert (low < following).all()
        assert (following < high).all()


@pytest.mark.parametrize("name", ["still", "tiny", "large"])
def test_centre_of_a_still_price_is_that_price(risen: Estimator, name: str) -> None:
    prices = STILL[name](120)

    forecast = risen.predict(history(prices))

    assert forecast["mean"].to_numpy() == pytest.approx(prices[-1], rel=5e-4)


@pytest.mark.parametrize("name", ["still", "0.1 % up", "moved once"])
def test_interval_of_the_least_history_that_hardly_moves_holds_it(risen: Estimator, name: str) -> None:
    prices = (STILL | EVEN)[name](risen.min_history)

    low, high = interval(risen.predict(history(prices), MAX_HORIZON))

    assert (low < prices[-1]).all()
    assert (prices[-1] < high).all()


def test_arima_of_a_still_price_stays_within_a_cent() -> None:
    """120 sessions at 7.00 gave 7.006 to 7.030, and an interval without 7.00."""
    forecast = Arima().fit(rising()).predict(history(STILL["still"](120)))

    assert forecast["mean"].to_numpy() == pytest.approx(7.0, abs=0.005)


def test_arima_of_a_market_that_rises_drifts_with_it() -> None:
    frame = rising()

    centre = Arima().fit(frame).predict(frame)["mean"].to_numpy().reshape(4, 5)[:, -1]

    assert (centre > frame.groupby("unique_id")["y"].last().to_numpy()).any()


def test_arima_of_still_and_even_symbols_in_training_forecasts_them_by_the_others() -> None:
    bars = 420
    rose = 7 * 1.01 ** np.minimum(np.arange(bars), bars - 60)
    odd = {"STILL": STILL["still"](bars), "EVEN": EVEN["0.1 % up"](bars), "ROSE": rose}
    frame = pd.concat(
        [rising(bars=bars), *(history(prices, name, ranges=True) for name, prices in odd.items())], ignore_index=True
    )

    model = Arima().fit(frame)
    forecast = model.predict(frame, MAX_HORIZON)

    assert not {"STILL", "EVEN"} & set(model.arma_)  # whose moves have no variance to fit
    for symbol, prices in odd.items():
        low, high = interval(forecast[forecast["unique_id"] == symbol])
        assert (low < prices[-1]).all()
        assert (prices[-1] < high).all()


def test_forecast_of_prices_as_small_as_their_ticks_is_finite(risen: Estimator) -> None:
    ticks = np.where(np.arange(120) % 7 == 0, 0.0002, 0.0001)

    forecast = risen.predict(history(ticks), MAX_HORIZON)

    assert np.isfinite(forecast.drop(columns=["unique_id", "ds"])).all(axis=None)


def test_random_walk_with_drift_of_a_still_price_does_not_drift() -> None:
    forecast = Naive(drift=True).fit(rising()).predict(history(STILL["still"](120)), MAX_HORIZON)

    low, high = interval(forecast)
    assert (low < 7.0).all()
    assert (high > 7.0).all()
    assert forecast["mean"].to_numpy() == pytest.approx(7.0, rel=1e-3)


def test_arima_saved_when_means_were_log_returns_drifts_as_it_did() -> None:
    frame = rising()
    model = Arima().fit(frame)
    learned = model.learned()
    before = {name: found | {"mean": found["mean"] * model.har_.usual} for name, found in learned["arma"].items()}
    pooled = learned["pooled"] | {"mean": learned["pooled"]["mean"] * model.har_.usual}
    old = {key: value for key, value in learned.items() if key != "mean_in"} | {"arma": before, "pooled": pooled}

    again = Arima()
    again.restore(old, None)  # type: ignore[arg-type]  # it has no weights to read

    np.testing.assert_allclose(again.predict(frame)["mean"], model.predict(frame)["mean"])
