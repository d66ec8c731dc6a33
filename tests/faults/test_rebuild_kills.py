"""Rebuilds killed at random moments, beside live traffic: the live read models never notice."""

import random
import subprocess
import sys
import time

import pytest

from tests.faults.streams import Publishing, caught_up, publish, stream
from tests.faults.truths import MODELS, assert_exactly_once
from tests.integration.projecting import command, database
from tests.support.waiting import until

KILLS = 10


@pytest.mark.long
def test_rebuilds_killed_ten_times_at_random_leave_the_live_ones_and_the_last_takes_over(
    settings, service, events, dice: random.Random
):
    consumer = service()
    publish(settings, stream(events // 4, dice))
    consumer.start()
    until(lambda: caught_up(settings), "it has caught up", 120)
    whole = _rebuild(consumer, MODELS[0].name)
    ended = 0

    with Publishing(settings, stream(KILLS * 100, dice, first=events // 4), lead=500):
        for number in range(KILLS):
            name = MODELS[number % len(MODELS)].name  # in turn: a dead rebuild's lease runs out meanwhile
            seconds = dice.uniform(0.0, whole)
            rebuilding = subprocess.Popen(_command(name), env=consumer.environment, stdout=subprocess.DEVNULL)
            try:
                ended += rebuilding.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                rebuilding.kill()
                rebuilding.wait()
            print(f"rebuild {number + 1} of {name} killed after {seconds:.1f} s of about {whole:.1f} s")
            assert consumer.process.poll() is None

    assert ended < KILLS
    until(lambda: caught_up(settings), "it has caught up", 120)
    for model in MODELS:
        told = command("rebuild", model.name, "--accept-difference")
        assert "Equal: " in told
        assert "The rebuilt one took over" in told
    with database(settings) as found:
        assert [name for name in found.list_collection_names() if "__" in name] == []
    until(lambda: caught_up(settings), "it goes on")
    assert consumer.stop() == 0
    assert_exactly_once(settings)


def _command(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "stack", "rebuild", name, "--accept-difference")


def _rebuild(consumer, name: str) -> float:
    """Rebuild in peace; return how many seconds it took."""
    began = time.monotonic()
    subprocess.run(_command(name), env=consumer.environment, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began
