import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri
from scipy.stats import ttest_1samp
from utilsforecast import losses

from contracts.measures import INSIDE_80, INSIDE_95, LEVELS, is_inside, long_run_variance, pinball_loss, skill
from forecasting.models.losses import absolute_error, covered, crps, diebold_mariano, mase, pinball, scrps


def test_pinball_weighs_each_side_by_its_level() -> None:
    assert pinball(np.array([12.0, 8.0]), np.array([10.0, 10.0]), 0.9) == pytest.approx([1.8, 0.2])


def test_crps_of_a_degenerate_forecast_is_the_absolute_error() -> None:
    assert crps(np.array([3.0]), np.full((1, 7), 5.0), LEVELS) == pytest.approx([2.0])


def test_crps_of_a_gaussian_comes_near_its_closed_form() -> None:
    # Gneiting & Raftery 2007, eq. 21, at the centre: sigma (2 phi(0) - 1/sqrt(pi)).
    levels = np.linspace(0.005, 0.995, 100)

    score = crps(np.array([0.0]), ndtri(levels)[None], tuple(levels))

    assert score[0] == pytest.approx(2 / np.sqrt(2 * np.pi) - 1 / np.sqrt(np.pi), abs=0.005)


def test_scaled_metrics_do_not_know_the_currency() -> None:
    errors, scale = absolute_error(np.array([11.0, 8.0]), np.array([10.0, 10.0])), np.array([1.0, 2.0])

    assert mase(errors, scale) == pytest.approx(1.0)
    actual, symbols = np.array([11.0, 8.0]), np.array(["A", "B"], dtype=object)
    assert scrps(100 * errors, 100 * actual, symbols) == pytest.approx(scrps(errors, actual, symbols))


def test_scaled_crps_is_that_of_utilsforecast() -> None:
    random = np.random.default_rng(2)
    levels = np.array([0.1, 0.5, 0.9])
    quantiles = np.sort(random.normal(20, 3, (40, 3)), axis=1)
    actual, symbols = random.normal(20, 3, 40), np.repeat(np.array(["A", "B"], dtype=object), [25, 15])
    columns = {f"q{number}": quantiles[:, number] for number in range(3)}
    frame = pd.DataFrame({"unique_id": symbols, "cutoff": 0, "ds": range(40), "y": actual} | columns)

    reference = losses.scaled_crps(frame, {"model": ["q0", "q1", "q2"]}, levels)

    assert scrps(crps(actual, quantiles, tuple(levels)), actual, symbols) == pytest.approx(reference["model"].mean())


def test_measures_of_one_number_of_arrays_and_of_utilsforecast_are_the_same() -> None:
    random = np.random.default_rng(4)
    actual = random.normal(20, 3, 60)
    quantiles = np.sort(random.normal(20, 3, (60, len(LEVELS))), axis=1)
    frame = pd.DataFrame({"unique_id": "A", "ds": range(60), "y": actual})
    for number, level in enumerate(LEVELS):
        values = quantiles[:, number]
        one = [pinball_loss(level, value, y) for value, y in zip(values, actual, strict=True)]
        theirs = losses.quantile_loss(frame.assign(model=values), {"model": "model"}, level)
        assert pinball(actual, values, level) == pytest.approx(one, rel=1e-12)
        assert theirs["model"].item() == pytest.approx(np.mean(one), rel=1e-12)
    for share, bounds in {80: INSIDE_80, 95: INSIDE_95}.items():
        low, high = (quantiles[:, LEVELS.index(level)] for level in bounds)
        one = [is_inside(*row) for row in zip(low, high, actual, strict=True)]
        theirs = losses.coverage(frame.assign(**{f"m-lo-{share}": low, f"m-hi-{share}": high}), ["m"], share)
        assert np.mean(covered(actual, low, high)) == np.mean(one) == theirs["m"].item()


def test_long_run_variance_adds_the_covariances_of_what_overlaps() -> None:
    gaps = np.random.default_rng(6).normal(size=80)
    gaps = np.convolve(gaps - gaps.mean(), np.ones(3), mode="valid")
    covariances = [gaps[lag:] @ gaps[: len(gaps) - lag] / len(gaps) for lag in range(3)]
    assert long_run_variance(gaps.tolist(), 3) == pytest.approx(covariances[0] + 2 * sum(covariances[1:]), rel=1e-12)
    assert long_run_variance([1.0, -1.0, 1.0, -1.0], 2) == 1.0  # the truncated sum is negative there


def test_coverage_counts_the_edges_as_inside() -> None:
    assert covered(np.array([1.0, 2.0, 3.0, 4.0]), np.full(4, 2.0), np.full(4, 3.0)).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_skill_of_the_baseline_is_zero_and_of_perfection_one() -> None:
    assert (skill(2.0, 2.0), skill(0.0, 2.0), skill(1.0, 0.0)) == (0.0, 1.0, 0.0)


def test_diebold_mariano_one_step_ahead_is_the_paired_t_test() -> None:
    random = np.random.default_rng(5)
    ours, theirs = random.exponential(1, 80), random.exponential(1.2, 80)

    known = ttest_1samp(ours - theirs, 0)

    assert diebold_mariano(ours, theirs, 1) == pytest.approx((known.statistic, known.pvalue))


def test_diebold_mariano_of_equal_losses_is_no_difference() -> None:
    losses = np.random.default_rng(5).exponential(1, 50)

    assert diebold_mariano(losses, losses, 5) == (0.0, 1.0)
    assert diebold_mariano(losses[:3], losses[:3] + 1, 5) == (0.0, 1.0)


def test_diebold_mariano_of_overlapping_noise_rejects_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(11)
    window = np.ones(5)
    rejected = 0
    for _ in range(400):
        noise = np.convolve(random.standard_normal(254), window, "valid")
        rejected += diebold_mariano(noise, np.zeros(250), 5)[1] < 0.05

    assert 0.03 <= rejected / 400 <= 0.10  # the naive t-test would reject about 40 %


def test_diebold_mariano_of_a_better_model_is_negative() -> None:
    random = np.random.default_rng(5)
    statistic, p_value = diebold_mariano(random.exponential(1, 300), random.exponential(2, 300), 5)

    assert statistic < -3
    assert p_value < 0.01
