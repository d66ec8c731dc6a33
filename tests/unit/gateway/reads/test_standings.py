"""The leaderboard's arithmetic and where aliases point."""

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from contracts.events import ModelPromoted
from contracts.samples import sample
from gateway.reads.standings import by_session, newest_by_alias, skill_interval, standings
from gateway.schemas.responses import Model, Rank


def score(
    version: str = "4", step: int = 1, session: int = 0, symbol: str = "AAPL", family: str = "arima", **given: object
) -> dict[str, Any]:
    """Return a document of the read model with one score in it."""
    terms = {
        "target_at": f"day {session:04}", "absolute_error": 0.8, "naive_absolute_error": 1.0, "scaled_error": 0.9,
        "crps": 0.004, "naive_crps": 0.005, "inside_80": True, "inside_95": True, **given,
    }  # fmt: skip
    line = {"model_version": version, "family": family, "step": step, "symbol": symbol}
    return {**line, "scores": {f"{version} {step} {session} {symbol}": terms}}


def ranked(scores: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return standings(by_session(scores))


def noisy(seed: int, sessions: int, skill: float = 0.0, step: int = 1) -> list[tuple[float, float]]:
    """Return errors by session whose gaps to the random walk's overlap in `step` sessions."""
    chance = random.Random(seed)
    shocks = [chance.gauss(0, 0.2) for _ in range(sessions + step)]
    return [(1 - skill + sum(shocks[at : at + step]), 1.0) for at in range(sessions)]


def test_standings_of_scores_of_one_version_and_step_are_added_up() -> None:
    (item,) = ranked([score(), score(session=1, inside_80=False, absolute_error=0.1, naive_absolute_error=2.0)])
    Rank.model_validate(item)
    assert (item["n"], item["sessions"], item["paired_sessions"]) == (2, 2, 2)
    assert item["coverage_80"] == pytest.approx(0.5)
    assert item["mase"] == pytest.approx(0.9)
    assert item["scrps"] == pytest.approx(0.004)
    assert item["skill"] == pytest.approx(1 - 0.9 / 3)
    assert item["crps_skill"] == pytest.approx(0.2)


def test_standings_without_anything_to_divide_by_have_no_figure() -> None:
    (item,) = ranked([score(scaled_error=None, naive_absolute_error=0, crps=None)])
    assert [item[name] for name in ("mase", "skill", "skill_low", "scrps", "crps_skill")] == [None] * 5


def test_standings_pair_the_distribution_on_sessions_of_which_the_random_walk_is_settled_too() -> None:
    (item,) = ranked([score(), score(session=1, crps=0.1, naive_crps=None)])
    assert (item["sessions"], item["paired_sessions"]) == (2, 1)
    assert item["crps_skill"] == pytest.approx(0.2)


def test_standings_stand_by_step_then_by_what_is_beyond_noise_and_few_sessions_come_last() -> None:
    def sessions(version: str, crps: float, count: int = 40, **given: Any) -> list[dict[str, Any]]:
        return [score(version, session=at, crps=crps + 1e-4 * (at % 3), **given) for at in range(count)]

    items = ranked(
        [
            *sessions("1", 0.0056),
            *sessions("2", 0.0010, count=5),
            *sessions("3", 0.0040),
            *sessions("4", 0.0049),
            *sessions("5", 0.0030),
            *sessions("6", 0.0050, family="naive"),
            score("3", step=2),
        ]
    )
    assert [(item["step"], item["version"], item["verdict"]) for item in items] == [
        (1, "5", "better"),
        (1, "3", "better"),
        (1, "4", "undecided"),
        (1, "6", "baseline"),
        (1, "1", "worse"),
        (1, "2", "few"),
        (2, "3", "few"),
    ]


def test_standings_without_the_distribution_judge_by_the_centre() -> None:
    lines = {"4": 0.8, "5": 1.3}
    items = ranked(
        score(version, session=at, absolute_error=error + at % 2 / 100, naive_crps=None)
        for version, error in lines.items()
        for at in range(40)
    )
    assert [(item["version"], item["verdict"]) for item in items] == [("4", "better"), ("5", "worse")]


def test_standings_have_the_random_walk_once_whatever_its_versions() -> None:
    walks = [
        score(version, session=at, family="naive")
        for version, first in (("9", 0), ("10", 30))
        for at in range(first, 40)
    ]
    (item,) = ranked(walks)
    assert (item["version"], item["sessions"], item["n"], item["verdict"]) == ("10", 40, 40, "baseline")


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
    expected = ranked(rows)
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert ranked(rows) == expected


def test_standings_of_a_lead_that_holds_in_every_session_tell_it_beyond_noise() -> None:
    (item,) = ranked([score(session=at, absolute_error=0.8 + at % 2 / 100) for at in range(40)])
    assert 0.18 < item["skill_low"] < item["skill"] < item["skill_high"] < 0.21


def test_standings_of_few_sessions_say_no_confidence() -> None:
    (item,) = ranked([score(session=at, symbol=symbol) for at in range(29) for symbol in ("AAPL", "IBM")])
    assert (item["n"], item["skill_low"], item["skill_high"], item["verdict"]) == (58, None, None, "few")


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
    (item,) = ranked(many)
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
