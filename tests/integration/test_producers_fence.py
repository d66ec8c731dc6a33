"""Three producers of the same symbols, as on three machines, killed and put to sleep: nothing twice, nothing missed."""

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from streaming.headers import SEQUENCE
from tests.conftest import Isolated
from tests.integration.producing import Market, Process, actions, bar_records
from tests.support.ports import free_port
from tests.support.waiting import until

SYMBOLS = ("AAPL", "IBM", "MSFT")


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_producers_on_several_machines_publish_each_bar_once(isolated: Isolated, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with Market(tmp_path, ",".join(SYMBOLS), "2000-06-15", FORETICK_FULL_READ_SECONDS="2") as market:
        producers = [_elsewhere(market, tmp_path / str(number)) for number in range(3)]
        try:
            for each in producers:
                each.start()
            market.clock(running=True, seconds_per_session=0.1)
            for _ in range(6):
                one = chance.choice(producers)
                _harm(one, chance)
                until(one.running, "it runs")
            market.clock(running=False)
            _all_there(market, producers)
        finally:
            for each in producers:
                each.end(signal.SIGKILL)


def _elsewhere(market: Market, home: Path) -> Process:
    """Return producers that share nothing with others but the servers."""
    home.mkdir()
    port = free_port()
    own = {"FORETICK_HOME": str(home), "FORETICK_OPS_PORT": str(port)}
    return Process("producers.main", home, port, market.environment | own)


def _harm(one: Process, chance: random.Random) -> None:
    """Kill a process and start it again, or let it sleep in the middle of whatever it does, for a while."""
    time.sleep(chance.uniform(0.2, 1.5))
    if chance.random() < 0.5:
        one.end(signal.SIGKILL)
        one.start()
    else:
        one.send(signal.SIGSTOP)
        time.sleep(chance.uniform(0.5, 3.0))
        one.send(signal.SIGCONT)


def _all_there(market: Market, producers: list[Process]) -> None:
    visible = sum(map(market.visible, SYMBOLS))
    until(lambda: len(bar_records()) >= visible, "all was published")
    until(lambda: all(each.answers("/health/ready") for each in producers), "all have read all", 60)
    records = bar_records()
    assert set(Counter(record.event_id for record in records).values()) == {1}
    assert len(records) == visible
    assert set(Counter(action.event_id for action in actions()).values()) == {1}
    by_partition: dict[int, list[int]] = {}
    for record in records:
        by_partition.setdefault(record.partition, []).append(int(record.headers[SEQUENCE]))
    assert all(numbers == list(range(len(numbers))) for numbers in by_partition.values())
