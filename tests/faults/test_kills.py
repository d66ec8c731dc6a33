"""Kill -9 of everything at random points of a stream."""

import random

import pytest

from tests.faults.breaking import NAMES
from tests.faults.streams import Publishing, caught_up, stream
from tests.faults.truths import assert_all_arrived, assert_exactly_once
from tests.support.waiting import until

_FULL = 100_000


@pytest.mark.long
def test_stream_consumer_and_servers_killed_at_random_points_is_applied_exactly_once(
    settings, broken, service, events, dice: random.Random
):
    victims = ["consumer", *NAMES] * (3 if events >= _FULL else 1)
    dice.shuffle(victims)
    points = sorted(dice.randrange(events // 20, events * 9 // 10) for _ in victims)
    published = stream(events, dice)
    consumer = service()
    consumer.start()

    with Publishing(settings, published, lead=max(300, events // 10)) as publishing:
        for point, victim in zip(points, victims, strict=True):
            until(lambda point=point: publishing.progress() >= point, f"event {point} was read", 180, 0.2)
            print(f"kill -9 of {victim} after {publishing.applied} of {events} events")
            if victim == "consumer":
                consumer.kill()
                consumer.start()
            else:
                broken.kill(victim)
    broken.await_all()
    until(lambda: caught_up(settings), "it has caught up", 180, 0.5)

    assert consumer.process.poll() is None
    consumer.stop()
    assert_all_arrived(settings, published)
    assert_exactly_once(settings)
