import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from contracts.measures import LEVELS
from forecasting.models.quantiles import SPREAD_LEVELS, between, check_levels, spread, spread_table


def test_between_levels_of_a_gaussian_is_exact() -> None:
    wanted = np.array([0.001, 0.025, 0.3, 0.5, 0.95, 0.999])

    assert between(LEVELS, 3 + 2 * ndtri(np.array(LEVELS)), wanted) == pytest.approx(3 + 2 * ndtri(wanted))


@given(
    st.lists(st.floats(-5, 5), min_size=len(LEVELS), max_size=len(LEVELS)).map(sorted),
    st.lists(st.floats(0.001, 0.999), min_size=2, max_size=9, unique=True).map(sorted),
)
def test_between_levels_of_rising_quantiles_rises(values: list, levels: list) -> None:
    read = between(LEVELS, np.array(values), levels)

    assert (np.diff(read) >= -1e-12).all()


@pytest.mark.parametrize("levels", [[], [0.5, 0.5], [0.9, 0.1], [0.0], [1.0], [float("nan")]])
def test_levels_that_no_quantile_has_are_refused(levels: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        check_levels(levels)


def test_spread_of_many_residuals_holds_what_it_says() -> None:
    residuals = np.random.default_rng(3).standard_t(4, size=(50_000, 2))

    low, high = spread(spread_table(residuals, 2), [0.1, 0.9]).T

    assert low == pytest.approx(-high)
    assert np.mean(np.abs(residuals) <= high, axis=0) == pytest.approx(0.8, abs=0.005)


def test_spread_of_few_residuals_is_a_gaussian() -> None:
    table = spread_table(np.zeros((0, 4)), 4)

    assert spread(table, [0.5, 0.975])[3] == pytest.approx([0.0, ndtri(0.975)])
    assert table.shape == (4, len(SPREAD_LEVELS))
