"""Given what versions scored on one hold-out, when the gate decides, then who sits and why the others do not."""

from dataclasses import replace

import numpy as np

from contracts.parts import Metrics
from forecasting.training.gate import Candidate, Choice, candidate_of, decide
from forecasting.training.holdout import Scores

_LOSSES = 0.5 + 0.1 * np.random.default_rng(3).random(250)


def scored(family: str, factor: float, noise: float = 0.002, **changes: float) -> Scores:
    """Return scores of a family whose losses are the random walk's times a factor, and some noise of its own."""
    jitter = noise * np.random.default_rng(len(family)).standard_normal(len(_LOSSES))
    losses = _LOSSES * factor + (0 if family == "naive" else jitter)
    return replace(
        Scores(
            family=family,
            n=1250,
            mase=1.1 * factor,
            scrps=float(losses.mean()),
            coverage_80=0.8,
            coverage_95=0.95,
            mase_by_step=(),
            scrps_by_step=(),
            coverage_80_by_step=(),
            coverage_95_by_step=(),
            below=(),
            losses=losses,
        ),
        **changes,
    )


def version(number: int, family: str, factor: float, **changes: float) -> Candidate:
    return candidate_of(str(number), family, f"run-{number}", scored(family, factor, **changes))


NAIVE = version(1, "naive", 1.0)


def why(choice: Choice, number: str) -> str:
    return "; ".join(next(found.reasons for found in choice.refused if found.version == number))


def test_gate_without_a_sitting_champion_takes_the_lowest_score() -> None:
    choice = decide([NAIVE, version(2, "arima", 0.99), version(3, "lstm", 0.97)], None, 5)

    assert choice.champion.version == "3"
    assert "lstm has the lowest sCRPS" in choice.reason
    assert choice.tests["3"][0] < 0
    assert why(choice, "2") == "lstm 3 has the lower sCRPS"


def test_gate_without_a_better_family_shows_the_random_walk() -> None:
    choice = decide([NAIVE, version(3, "lstm", 1.05)], None, 5)

    assert choice.champion is NAIVE
    assert "random walk is shown" in choice.reason
    assert "worse than the random walk beyond noise" in why(choice, "3")


def test_gate_refuses_an_equal_score() -> None:
    choice = decide([version(2, "arima", 1.0, noise=0.0), NAIVE], None, 5)

    assert choice.champion is NAIVE
    assert "is not below the random walk's" in why(choice, "2")


def test_gate_refuses_who_loses_origin_by_origin_whatever_its_mean() -> None:
    odd = version(3, "lstm", 1.10, scrps=0.1)

    assert decide([NAIVE, odd], None, 5).champion is NAIVE


def test_gate_refuses_intervals_outside_their_band_with_the_figures() -> None:
    narrow = version(2, "arima", 0.97, coverage_80=0.70, coverage_95=0.91)
    choice = decide([NAIVE, narrow, version(3, "lstm", 0.99)], None, 5)

    assert choice.champion.version == "3"
    assert "80 % intervals cover 0.700, outside 0.75 to 0.85" in why(choice, "2")
    assert "95 % intervals cover 0.910, outside 0.92 to 0.98" in why(choice, "2")


def test_gate_lets_the_sitting_champion_stay_against_who_is_no_better_beyond_noise() -> None:
    sitting = version(2, "arima", 0.970)
    choice = decide([version(5, "naive", 1.0), version(6, "lstm", 0.970)], sitting, 5)

    assert choice.champion is sitting
    assert choice.reason == "arima 2 stays: no other version passed the gate"
    assert "it is not better than the sitting champion (arima 2) beyond noise" in why(choice, "6")


def test_gate_puts_who_is_better_beyond_noise_in_the_champions_place() -> None:
    choice = decide([version(5, "naive", 1.0), version(6, "lstm", 0.95)], version(2, "arima", 0.97), 5)

    assert choice.champion.version == "6"
    assert "better than arima 2, which sat before, beyond noise" in choice.reason


def test_gate_asks_proof_against_a_sitting_random_walk_too_and_renews_it() -> None:
    sitting, newest = version(1, "naive", 1.0), version(5, "naive", 1.0)
    choice = decide([newest, version(6, "lstm", 0.9999, noise=0.02, scrps=0.01)], sitting, 5)

    assert choice.champion is newest
    assert "not better than the sitting champion (naive 1)" in why(choice, "6")


def test_gate_dismisses_a_sitting_champion_that_would_not_be_admitted() -> None:
    choice = decide([version(5, "naive", 1.0), version(6, "lstm", 1.02)], version(2, "arima", 1.05), 5)

    assert choice.champion.version == "5"
    assert "worse than the random walk beyond noise" in why(choice, "2")
    assert {found.version for found in choice.refused} == {"2", "6"}


def test_gate_leaves_a_champion_that_has_learned_from_the_hold_out_where_it_is() -> None:
    metrics = Metrics(version="9", family="lstm", n=5, mase=1.0, scrps=0.5, coverage_80=0.8, coverage_95=0.95)
    sitting = Candidate("9", "lstm", "run-9", metrics)
    choice = decide([version(5, "naive", 1.0), version(6, "arima", 0.9)], sitting, 5)

    assert choice.champion is sitting
    assert "which has learned from the hold-out" in why(choice, "6")


def test_gate_run_again_with_the_champion_among_the_rivals_keeps_it() -> None:
    rivals = [NAIVE, version(2, "arima", 0.98), version(3, "lstm", 0.97)]
    first = decide(rivals, None, 5)

    again = decide(rivals, first.champion, 5)

    assert again.champion is first.champion
    assert [found.version for found in again.refused] == ["2"]
