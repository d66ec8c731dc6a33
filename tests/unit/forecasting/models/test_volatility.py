"""The volatility to come: it follows the market, knows ranges, and never looks ahead."""

import numpy as np
import pandas as pd
import pytest

from forecasting.data.windows import (
    CONTEXT,
    MAX_HORIZON,
    MOST_WINDOWS,
    Floats,
    Windows,
    WindowSet,
    last_windows,
    usual_volatility,
)
from forecasting.models.volatility import STEPS, Har, per_session
from tests.support.markets import market, sessions


def waves(bars: int = 2500, seed: int = 4) -> tuple[pd.DataFrame, Floats]:
    """Return a symbol whose volatility is known: an autoregression in its logarithm; ranges of 78 steps a day."""
    random = np.random.default_rng(seed)
    logs = np.zeros(bars)
    for bar in range(1, bars):
        logs[bar] = 0.95 * logs[bar - 1] + 0.15 * random.standard_normal()
    deviation = 0.01 * np.exp(logs)
    paths = np.cumsum(random.standard_normal((bars, 78)), axis=1) / np.sqrt(78) * deviation[:, None]
    before = np.concatenate([[0.0], np.cumsum(paths[:-1, -1])])
    close, high, low = (
        50 * np.exp(before + part)
        for part in (paths[:, -1], np.maximum(paths.max(axis=1), 0), np.minimum(paths.min(axis=1), 0))
    )
    frame = pd.DataFrame({"unique_id": "W", "ds": sessions(bars), "y": close, "high": high, "low": low})
    return frame, deviation


def fitted(frame: pd.DataFrame) -> tuple[Har, Windows, Floats]:
    windows, targets = WindowSet(frame, MAX_HORIZON).thinned(MOST_WINDOWS)
    return Har.fit(windows, targets, usual_volatility(frame)), windows, targets


def test_har_of_a_known_volatility_follows_it_better_with_ranges_than_without() -> None:
    frame, deviation = waves()
    har, windows, _ = fitted(frame)
    coming = np.log(deviation[CONTEXT : CONTEXT + len(windows)])
    without = Windows(
        windows.symbols, windows.origins, windows.last, windows.returns, np.full_like(windows.ranges, np.nan)
    )

    ranged, closes = (np.corrcoef(np.log(har.scales(w, 1)[:, 0]), coming)[0, 1] for w in (windows, without))

    assert ranged > 0.85
    assert ranged > closes > 0.5


@pytest.mark.parametrize("step", [1, 3, 5, 10, MAX_HORIZON])
def test_har_scale_of_each_step_is_that_of_its_moves(step: int) -> None:
    har, windows, targets = fitted(market(4, 800))

    moves = np.abs(targets[:, step - 1]) / har.scales(windows, step)[:, -1]

    assert np.mean(moves < 1) == pytest.approx(0.66, abs=0.08)


def test_har_of_no_windows_is_the_usual_volatility() -> None:
    frame = market(1, CONTEXT)
    har, windows, _ = fitted(frame)
    assert len(windows) == 0

    scales = har.scales(WindowSet(market(1, 200), MAX_HORIZON).thinned(MOST_WINDOWS)[0])

    np.testing.assert_allclose(scales, usual_volatility(frame) * np.sqrt(np.arange(1, 21)) * np.ones_like(scales))


def test_har_restored_from_json_is_the_same() -> None:
    har, windows, _ = fitted(market(2, 400))

    again = Har.restored(har.learned())

    assert (again.scales(windows) == har.scales(windows)).all()
    assert again.ranges.shape[0] == again.closes.shape[0] == len(STEPS)


def test_har_of_a_symbol_does_not_depend_on_who_else_is_asked_for() -> None:
    har, windows, _ = fitted(market(3, 400))

    together = har.scales(windows)

    assert all((har.scales(windows[row : row + 1])[0] == together[row]).all() for row in range(0, len(windows), 97))


@pytest.mark.parametrize("rate", [0.01, 0.001, -0.001, 0.0001])
def test_har_scale_of_an_even_rise_grows_with_the_steps_and_not_their_root(rate: float) -> None:
    har, _, _ = fitted(market(3, 400))
    prices = 7 * np.exp(rate * np.arange(CONTEXT))
    even = last_windows(pd.DataFrame({"unique_id": "E", "ds": sessions(CONTEXT), "y": prices}))

    assert (har.scales(even)[0] > abs(rate) * np.arange(1, MAX_HORIZON + 1)).all()


def test_har_scale_of_three_bars_that_rise_alike_by_chance_stays_that_of_a_walk() -> None:
    har, _, _ = fitted(market(3, 400))
    alike, apart = (
        last_windows(pd.DataFrame({"unique_id": "E", "ds": sessions(3), "y": prices}))
        for prices in ([7.0, 7.07, 7.15], [7.0, 7.07, 6.99])
    )

    np.testing.assert_allclose(har.scales(alike), har.scales(apart), rtol=0.15)


def test_volatility_of_a_session_is_that_of_the_calmest_step() -> None:
    assert per_session(np.array([[1.0, 2.0, 1.5]])) == pytest.approx(1.5 / np.sqrt(3))
