"""Clocks that are an hour off: a producer's, and that of a machine that runs projections."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from projections.rebuild import rebuild
from tests.faults.streams import caught_up, publish, stream
from tests.faults.truths import assert_exactly_once
from tests.support.waiting import until

HOUR = timedelta(hours=1)


def test_producer_an_hour_ahead_then_behind_changes_when_things_were_recorded_and_nothing_else(
    settings, service, dice: random.Random
):
    events = stream(1200, dice)
    wrong = [replace(event, recorded_at=event.recorded_at + dice.choice((-HOUR, HOUR))) for event in events]
    consumer = service()
    consumer.start()
    publish(settings, events[:400] + wrong[400:800] + events[800:])  # stamps go forth and back within a partition
    until(lambda: caught_up(settings), "it has caught up")
    assert consumer.stop() == 0
    assert_exactly_once(settings)


@pytest.mark.parametrize("seconds", ["3600", "-3600"])
def test_projections_with_a_clock_an_hour_off_apply_all_and_a_rebuild_beside_them_takes_over(
    settings, service, dice: random.Random, seconds
):
    events = stream(1500, dice)
    consumer = service("tests.faults.launch", "clock", seconds)
    consumer.start()
    publish(settings, events[:1000])
    until(lambda: caught_up(settings), "it has caught up")

    report = rebuild(settings, "stock_data", accept_difference=True)

    assert report.equal
    assert report.took_over
    publish(settings, events[1000:])
    until(lambda: caught_up(settings), "it goes on after the rebuild")
    assert consumer.process.poll() is None
    assert consumer.stop() == 0
    assert_exactly_once(settings)
