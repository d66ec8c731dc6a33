"""The weights of an ensemble: what they are made of, and what they come to."""

import numpy as np
import pytest
from scipy.special import ndtri

from contracts.measures import LEVELS
from forecasting.data.windows import BadFrame, Floats
from forecasting.models.ensemble import Ensemble, weights
from tests.support.markets import market


def normal(centre: Floats, width: float) -> Floats:
    """Return quantiles [n, 1, LEVELS] of normal forecasts."""
    return centre[:, None, None] + width * ndtri(np.array(LEVELS))


def test_weights_leave_out_a_member_that_knows_nothing() -> None:
    random = np.random.default_rng(5)
    signal = random.standard_normal(4000)
    outcomes = (signal + 0.5 * random.standard_normal(4000))[:, None]
    said = np.stack([normal(signal, 0.5), normal(random.standard_normal(4000), 2.0)])

    found = weights(said, outcomes)

    assert found == pytest.approx([1, 0], abs=0.03)


def test_weights_of_members_that_err_apart_are_shared() -> None:
    random = np.random.default_rng(6)
    signal, noises = random.standard_normal(4000), random.standard_normal((2, 4000))
    said = np.stack([normal(signal + noise, 0.7) for noise in noises])

    found = weights(said, signal[:, None])

    assert found == pytest.approx([0.5, 0.5], abs=0.05)
    assert found.sum() == pytest.approx(1)


def test_weights_have_no_higher_crps_than_any_member_alone() -> None:
    random = np.random.default_rng(7)
    outcomes = random.standard_t(4, (500, 3))
    said = np.stack([np.tile(normal(np.zeros(500), width), (1, 3, 1)) for width in (0.5, 1.1, 3.0)])

    def loss(given: Floats) -> float:
        gap = outcomes[..., None] - np.tensordot(given, said, axes=1)
        return float(np.mean(np.where(gap >= 0, np.array(LEVELS), np.array(LEVELS) - 1) * gap))

    assert loss(weights(said, outcomes)) <= min(loss(alone) for alone in np.eye(3)) + 1e-9


def test_ensemble_of_too_few_later_sessions_says_what_it_needs() -> None:
    with pytest.raises(BadFrame, match="needs 50 forecasts to find weights by, there are"):
        Ensemble(members=["naive"]).fit(market(1, 150))
