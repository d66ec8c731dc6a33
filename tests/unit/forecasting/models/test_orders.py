"""The search against statsmodels' own ARIMA, fitted to the end at every order."""

import warnings

import numpy as np
import pytest
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.arima_process import arma_generate_sample
from threadpoolctl import threadpool_limits

from forecasting.data.windows import Floats
from forecasting.models.orders import search

PROCESSES: list[tuple[list[float], list[float], float]] = [
    ([], [], 0.0),
    ([], [], 0.002),
    ([0.3], [], 0.0),
    ([], [-0.25], 0.001),
    ([0.25, 0.2], [], 0.0),
    ([0.7], [-0.4], 0.0),
]


def returns_of(ar: list[float], ma: list[float], mean: float, count: int = 900, seed: int = 3) -> Floats:
    """Draw a process with daily moves of one percent."""
    draw = np.random.default_rng(seed).standard_normal
    made: Floats = arma_generate_sample([1, *(-value for value in ar)], [1, *ma], count, 0.01, draw, burnin=100)
    return made + mean


def reference(returns: Floats, p: int, q: int, drifts: bool):  # type: ignore[no-untyped-def]  # statsmodels has no types
    unit = returns.std()
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        warnings.simplefilter("ignore")
        return ARIMA(returns / unit, order=(p, 0, q), trend="c" if drifts else "n").fit()


@pytest.mark.parametrize(("ar", "ma", "mean"), PROCESSES)
def test_search_gives_the_parameters_that_statsmodels_climbs_to(ar: list[float], ma: list[float], mean: float) -> None:
    returns = returns_of(ar, ma, mean)

    fits, (p, q, drifts) = search(returns, 2)

    aicc, found = fits[p, q, drifts]
    full = reference(returns, p, q, drifts)
    assert aicc == pytest.approx(full.aicc, abs=0.02)
    theirs = dict(zip(full.model.param_names, full.params, strict=True))
    ours = {f"ar.L{lag}": value for lag, value in enumerate(found.ar, 1)}
    ours |= {f"ma.L{lag}": value for lag, value in enumerate(found.ma, 1)}
    assert ours == pytest.approx({name: theirs[name] for name in ours}, abs=5e-3)
    assert found.mean / returns.std() == pytest.approx(theirs.get("const", 0.0), abs=5e-3)


@pytest.mark.parametrize(("ar", "ma", "mean"), [PROCESSES[1], PROCESSES[5]])
def test_search_finds_what_a_grid_of_full_fits_finds_or_as_good(ar: list[float], ma: list[float], mean: float) -> None:
    returns = returns_of(ar, ma, mean, seed=11)

    fits, best = search(returns, 2)

    grid = [reference(returns, p, q, d).aicc for p in range(3) for q in range(3 - p) for d in (False, True)]
    assert fits[best][0] <= min(grid) + 0.5, "half a unit of AICc is no evidence for either order"
    assert fits[best][0] == min(aicc for aicc, _ in fits.values())


def test_search_tries_the_plain_orders_on_every_series_and_goes_on_only_where_it_leads_somewhere() -> None:
    noise, _ = search(returns_of([], [], 0.0, seed=0), 2)
    process, (p, q, _) = search(returns_of([0.3, 0.3], [], 0.0), 2)

    plain = {(0, 0, False), (1, 0, False), (0, 1, False)}
    assert plain <= set(noise)
    assert plain <= set(process)
    assert len(noise) < len(process)
    assert (p, q) == (2, 0)


def test_search_of_an_overdifferenced_series_stays_away_from_the_unit_root() -> None:
    over = np.diff(0.01 * np.random.default_rng(5).standard_normal(901))

    fits, best = search(over, 2)

    assert all(np.abs(np.roots([1.0, *arma.ma])).max(initial=0.0) < 0.99 for _, arma in fits.values())
    assert np.isfinite(fits[best][0])


def test_search_in_other_units_is_the_same_search() -> None:
    returns = returns_of([0.3], [], 0.001)

    (ours, best), (theirs, other) = search(returns, 2), search(100 * returns, 2)

    assert best == other
    assert theirs[other][1].ar == pytest.approx(ours[best][1].ar, rel=1e-6)
    assert theirs[other][1].mean == pytest.approx(100 * ours[best][1].mean, rel=1e-6)
