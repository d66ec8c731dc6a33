"""The leaderboard's arithmetic and where aliases point."""

import random
from datetime import timedelta

import pytest

from contracts.events import ModelPromoted
from contracts.samples import sample
from gateway.responses import Model, Standing
from gateway.standings import newest_by_alias, skill_interval, standings


def score(
    version: str = "4", step: int = 1, session: int = 0, symbol: str = "AAPL", **given: float
) -> dict[str, object]:
    return {
        "model_version": version, "family": "arima", "step": step, "symbol": symbol, "target_at": f"day {session:04}",
        "absolute_error": 0.8, "naive_absolute_error": 1.0, "scaled_error": 0.9, "scaled_n": 1, "pinball": 0.2,
        "absolute_actual": 100.0, "hits_80": 1, "hits_95": 1, **given,
    }  # fmt: skip


def noisy(seed: int, sessions: int, skill: float = 0.0, step: int = 1) -> list[tuple[float, float]]:
    """Return errors by session whose gaps to the random walk's overlap in `step` sessions."""
    chance = random.Random(seed)
    shocks = [chance.gauss(0, 0.2) for _ in range(sessions + step)]
    return [(1 - skill + sum(shocks[at : at + step]), 1.0) for at in range(sessions)]


def test_standings_of_scores_of_one_version_and_step_are_added_up() -> None:
    (item,) = standings([score(), score(session=1, hits_80=0, absolute_error=0.1, naive_absolute_error=2.0)])
    Standing.model_validate(item)
    assert (item["n"], item["sessions"]) == (2, 2)
    assert item["coverage_80"] == pytest.approx(0.5)
    assert item["mase"] == pytest.approx(0.9)
    assert item["skill"] == pytest.approx(1 - 0.9 / 3)


def test_standings_scrps_of_symbols_of_different_prices_is_the_mean_of_each() -> None:
    (item,) = standings([score(), score(symbol="GOOG", pinball=6.0, absolute_actual=600.0)])
    assert item["scrps"] == pytest.approx((0.4 / 100 + 12.0 / 600) / 2)


def test_standings_without_anything_to_divide_by_have_no_figure() -> None:
    (item,) = standings([score(scaled_n=0, naive_absolute_error=0, absolute_actual=0)])
    assert [item[name] for name in ("mase", "skill", "skill_low", "scrps")] == [None] * 4


def test_standings_stand_by_step_and_then_by_skill() -> None:
    items = standings([score("1", 2), score("2", 1, absolute_error=0.9), score("3", 1, absolute_error=0.1)])
    assert [(item["step"], item["version"]) for item in items] == [(1, "3"), (1, "2"), (2, "1")]


def test_standings_do_not_depend_on_the_order_of_scores() -> None:
    rows = [
        score(
            session=number // 3,
            symbol="ABC"[number % 3],
            absolute_error=0.1 * number,
            naive_absolute_error=1e16 / (number + 1),
        )
        for number in range(150)
    ]
    expected = standings(rows)
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert standings(rows) == expected


def test_standings_of_a_window_count_its_newest_sessions_of_every_version() -> None:
    scores = [score(version, session=at) for version in "12" for at in range(50 if version == "1" else 45)]
    items = {item["version"]: item["n"] for item in standings(scores, 10)}
    assert items == {"1": 10, "2": 5}
    assert {item["n"] for item in standings(scores, 1000)} == {50, 45}


def test_standings_of_a_lead_that_holds_in_every_session_tell_it_beyond_noise() -> None:
    (item,) = standings([score(session=at, absolute_error=0.8 + at % 2 / 100) for at in range(40)])
    assert 0.18 < item["skill_low"] < item["skill"] < item["skill_high"] < 0.21


def test_standings_of_few_sessions_say_no_confidence() -> None:
    (item,) = standings([score(session=at, symbol=symbol) for at in range(29) for symbol in ("AAPL", "IBM")])
    assert (item["n"], item["skill_low"], item["skill_high"]) == (58, None, None)


@pytest.mark.parametrize("step", [1, 5])
def test_skill_interval_covers_the_true_skill_as_often_as_it_says(step: int) -> None:
    found = [skill_interval(noisy(seed, 250, 0.05, step), step) for seed in range(400)]
    inside = sum(1 for low, high in found if low <= 0.05 <= high)
    assert 0.90 <= inside / len(found) <= 0.98


def test_skill_interval_of_symbols_that_move_together_is_no_narrower_than_that_of_one() -> None:
    one = noisy(1, 250)
    many = [
        score(session=at, symbol=symbol, absolute_error=error)
        for at, (error, _) in enumerate(one)
        for symbol in "ABCDE"
    ]
    (item,) = standings(many)
    assert (item["skill_low"], item["skill_high"]) == pytest.approx(skill_interval(one, 1))


def test_models_of_several_moves_are_the_newest_of_each_alias() -> None:
    move = sample(ModelPromoted).to_record()
    moves = [{**move, "version": "9"}, {**move, "version": "4"}, {**move, "alias": "arima", "version": "3"}]
    items = newest_by_alias(moves)
    assert [(item["alias"], item["version"]) for item in items] == [("arima", "3"), ("champion", "9")]
    Model.model_validate(items[0])
    assert items[0]["metrics"]["family"]


def test_models_after_a_decision_that_kept_the_champion_tell_since_when_it_sits() -> None:
    moved = sample(ModelPromoted).to_record()
    kept = {**moved, "outcome": "KEPT", "reason": "stays", "decided_at": moved["decided_at"] + timedelta(days=1)}
    (item,) = newest_by_alias([kept, moved])
    assert (item["decided_at"], item["reason"]) == (moved["decided_at"], moved["reason"])
