"""Revisions as known at a moment."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.reads.asof import known_action, known_scores

NOON = datetime(2012, 1, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def action(revision: int, hours: int) -> dict:
    return {"revision": revision, "ratio": 2.0 + revision, "recorded_at": NOON + hours * HOUR}


@pytest.mark.parametrize(("hours", "revision"), [(-1, None), (0, 0), (1, 1), (2, 1), (9, 2)])
def test_action_is_the_highest_revision_recorded_by_then(hours, revision):
    row = {**action(2, 5), "_earlier": {"0": action(0, 0), "1": action(1, 1)}}
    found = known_action(row, NOON + hours * HOUR)
    assert (found and found["revision"]) == revision


def test_action_without_earlier_revisions_is_known_once_it_was_recorded():
    assert known_action(action(0, 0), NOON) == action(0, 0)
    assert known_action(action(0, 0), NOON - HOUR) is None


def test_scores_are_those_of_then_and_a_step_not_scored_yet_has_none():
    def score(revision: int, hours: int) -> dict:
        return {"bar": {"revision": revision}, "recorded_at": NOON + hours * HOUR}

    row = {"scores": {"1": score(1, 4), "2": score(0, 3)}, "_earlier": {"1": {"0": score(0, 1)}}}
    assert known_scores(row, NOON) == {}
    assert known_scores(row, NOON + 2 * HOUR) == {"1": score(0, 1)}
    assert known_scores(row, NOON + 9 * HOUR) == row["scores"]
