import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.arima.model import ARIMA

from forecasting.data.windows import Floats
from forecasting.models.arima import Arima, arma_forecast
from tests.support.markets import market, sessions

CASES = [
    ((0, 0), [], []),
    ((1, 0), [0.3], []),
    ((2, 0), [0.3, -0.2], []),
    ((0, 1), [], [0.4]),
    ((0, 2), [], [0.4, -0.2]),
    ((1, 1), [0.6], [-0.3]),
]


def padded(values: list[float]) -> Floats:
    return np.array([[*values, *[0.0] * (2 - len(values))]])


@pytest.mark.parametrize(("order", "ar", "ma"), CASES)
def test_arma_forecast_is_statsmodels_apply_and_forecast(
    order: tuple[int, int], ar: list[float], ma: list[float]
) -> None:
    p, q = order
    returns = 0.01 * np.random.default_rng(4).standard_normal(63)
    reference = ARIMA(np.zeros(200), order=(p, 0, q), trend="c").filter([0.001, *ar, *ma, 1e-4]).apply(returns)

    ours = arma_forecast(returns[None], np.array([0.001]), padded(ar), padded(ma), 5)

    np.testing.assert_allclose(ours[0], np.cumsum(reference.forecast(5)), atol=1e-9)


def test_arma_forecast_of_a_short_window_starts_where_it_is_known() -> None:
    returns = 0.01 * np.random.default_rng(4).standard_normal(20)
    window = np.concatenate([np.full(43, np.nan), returns])
    alone = arma_forecast(returns[None], np.array([0.0]), padded([0.3]), padded([]), 5)

    assert arma_forecast(window[None], np.array([0.0]), padded([0.3]), padded([]), 5) == pytest.approx(alone)


def test_arima_of_autocorrelated_returns_finds_them() -> None:
    random, returns = np.random.default_rng(8), np.zeros(800)
    for bar in range(1, 800):
        returns[bar] = 0.5 * returns[bar - 1] + 0.01 * random.standard_normal()
    frame = pd.DataFrame({"unique_id": "AR", "ds": sessions(800), "y": 20 * np.exp(np.cumsum(returns))})

    model = Arima().fit(frame)

    assert model.arma_["AR"].ar[0] == pytest.approx(0.5, abs=0.1)
    assert model.pooled_ == model.arma_["AR"]


def test_arima_of_a_symbol_too_short_to_fit_uses_the_pooled_parameters() -> None:
    frame = pd.concat([market(2, 400), market(1, 90, seed=3).assign(unique_id="NEW")], ignore_index=True)

    model = Arima().fit(frame)

    assert set(model.arma_) == {"S0", "S1"}
    assert len(model.predict(frame[frame["unique_id"] == "NEW"])) == 5
