"""Sleepers and rebalances: whoever writes late, or hands partitions over in the middle of a batch, does no harm."""

import random
import signal
import subprocess
import sys

import pytest
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from tests.faults.streams import Publishing, caught_up, position, publish, stream
from tests.faults.truths import assert_exactly_once
from tests.support.waiting import until

LAUNCH = "tests.faults.launch"


def asleep(sleeper) -> bool:
    return "asleep" in sleeper.log


@pytest.mark.parametrize("before", ["insert", pytest.param("advance", marks=pytest.mark.long)])
def test_consumer_asleep_longer_than_its_session_writes_late_and_is_fenced(settings, service, dice, before):
    events = stream(3000, dice)
    sleeper, other = service(LAUNCH, "sleep", before), service()
    publish(settings, events[:2000])
    sleeper.start()
    until(lambda: asleep(sleeper), "it sleeps in the middle of a batch")
    other.start()
    until(lambda: caught_up(settings), "the other has taken over, after the session of 10 s")
    publish(settings, events[2000:])
    until(lambda: caught_up(settings), "the other has caught up")
    reached = position(settings)

    sleeper.process.send_signal(signal.SIGCONT)
    until(lambda: "moved by another writer or by a rebuild" in sleeper.log, "its late write is refused")
    until(lambda: sleeper.lag() is not None or other.lag() is not None or _share(sleeper, other), "it is back", 60)

    assert position(settings) == reached
    publish(settings, stream(500, dice, first=3000))
    until(lambda: caught_up(settings), "both go on")
    assert other.process.poll() is None
    assert sleeper.stop() == other.stop() == 0
    assert_exactly_once(settings)


def _share(*services) -> bool:
    """Tell whether processes have all partitions of all read models between them."""
    return all(
        all(model["partitions"] for model in answer.json()["read_models"][:2])
        for each in services
        if (answer := each.get("/status"))
    )


def test_rebalance_in_the_middle_of_a_batch_doubles_and_loses_nothing(settings, service, dice: random.Random):
    sleeper, other = service(LAUNCH, "sleep", dice.choice(["insert", "advance"])), service()
    group = settings.physical("foretick.stock_data")
    admin = AdminClient(settings.kafka_config())
    publish(settings, stream(2000, dice))
    sleeper.start()
    until(lambda: asleep(sleeper), "it is in the middle of a batch")
    other.start()
    until(
        lambda: (
            admin.describe_consumer_groups([group])[group].result(20).state == ConsumerGroupState.PREPARING_REBALANCING
        ),
        "the group is in a rebalance",
    )

    sleeper.process.send_signal(signal.SIGCONT)

    publish(settings, stream(1000, dice, first=2000))
    until(lambda: caught_up(settings), "both go on")
    assert sleeper.stop() == other.stop() == 0
    assert_exactly_once(settings)


@pytest.mark.long
def test_rebalances_during_a_rebuild_leave_it_right_and_the_live_one_too(
    settings, service, isolated, events, dice: random.Random
):
    one, two = service(), service()
    publish(settings, stream(events // 4, dice))
    one.start()
    until(lambda: caught_up(settings), "it has caught up", 120)

    with Publishing(settings, stream(events // 8, dice, first=events // 4), lead=events):
        command = (sys.executable, "-m", "stack", "rebuild", "stock_data", "--accept-difference")
        with subprocess.Popen(command, env=one.environment, stdout=subprocess.PIPE, text=True) as rebuilding:
            two.start()
            until(lambda: position(settings) and _share(two), "the second has partitions of its own")
            assert one.stop() == 0
            told, _ = rebuilding.communicate(timeout=300)

    assert rebuilding.returncode == 0, told
    assert "Equal: " in told
    assert "The rebuilt one took over" in told
    until(lambda: caught_up(settings), "it has caught up", 120)
    assert two.stop() == 0
    assert_exactly_once(settings)
