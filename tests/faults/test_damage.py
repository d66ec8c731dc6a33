"""Bits of the log that turn on the disk: none is read as if nothing were."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.topics import STOCK_DATA
from streaming.damage import Damaged
from streaming.publisher import Publisher
from streaming.reader import read_all
from tests.faults.streams import stream
from tests.support.segments import HEAD, batches, overwritten, segment
from tests.support.waiting import until

pytestmark = pytest.mark.long


class Reader:
    """Reads the topic in a process of its own, a new one where the log ended the last."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment, self._process = environment, None

    def read(self) -> tuple[str, object]:
        """Return what came of it: "read" with what, "damaged" with what was said, or "ended"."""
        if self._process is None:
            command = [sys.executable, "-m", "tests.faults.rereading"]
            self._process = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if line:
            found = tuple(json.loads(line))
            if "nothing came" in found[1]:
                self.close()
            return found
        code = self.close()
        assert code == -signal.SIGABRT  # the client's own assertion: loud enough
        return "ended", ""

    def close(self) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.stdin.close()
        process.stdout.close()
        return process.wait(30)


@pytest.fixture
def reader(isolated) -> Iterator[Reader]:
    made = Reader(os.environ | isolated.environment)
    yield made
    made.close()


def three_batches(settings, broken, dice) -> tuple[Path, list[tuple[int, int]]]:
    """Publish three batches at least; return their segment, and where in it each begins and ends."""
    events = [replace(event, symbol="S1") for event in stream(9, dice)]
    for at in range(0, 9, 3):
        with Publisher(settings, "/foretick/producers") as publisher:
            for event in events[at : at + 3]:
                publisher.publish(event, time=event.recorded_at)
    partition = next(iter(read_all(settings, STOCK_DATA))).partition
    file = segment(broken.layout.data, settings.physical(STOCK_DATA.name), partition)
    found = batches(file)
    assert len(found) >= 3  # a busy machine sends a batch in two
    return file, found


def test_no_turned_bit_of_a_batch_is_read_as_other_events(settings, broken, reader, dice):
    file, places = three_batches(settings, broken, dice)
    begin, end = places[1]
    data = file.read_bytes()
    whole = reader.read()
    assert whole[0] == "read"
    assert len(whole[1]) == 9
    bits = [(at, bit) for at in range(begin, end) for bit in range(8)]
    head = [place for place in bits if place[0] < begin + HEAD]
    tried = Counter()
    for at, bit in [*head, *dice.sample(bits[8 * HEAD :], 250)]:
        with overwritten(file, at, bytes([data[at] ^ 1 << bit])):
            found = reader.read()
        # The message's own time is in the head, too: where it lies before its event's, a dead letter is made of it.
        fine = ("damaged", "ended", "Poison") if at - begin in range(27, 35) else ("damaged", "ended")
        assert found == whole or found[0] in fine, (at - begin, bit, found)
        tried["same" if found == whole else found[0]] += 1
    print(tried)
    assert tried["damaged"] > 300
    assert reader.read() == whole


def test_sixty_four_damaged_bytes_anywhere_are_seen(settings, broken, reader, dice):
    file, places = three_batches(settings, broken, dice)
    begin, end = places[1]
    reader.read()
    tried = Counter()
    for at in [*range(begin, begin + 64, 8), *(dice.randrange(begin, end - 64) for _ in range(30))]:
        with overwritten(file, at, dice.randbytes(64)):
            found = reader.read()
        assert found[0] in ("damaged", "ended"), (at - begin, found)
        tried[found[0]] += 1
    print(tried)


def test_projections_stop_at_damage_with_its_coordinates_and_go_on_once_it_is_mended(settings, broken, service, dice):
    file, places = three_batches(settings, broken, dice)
    end = places[1][1]
    with overwritten(file, end - 8, dice.randbytes(4)):  # the checksum
        with pytest.raises(Damaged):
            list(read_all(settings, STOCK_DATA))
        consumer = service()
        consumer.start()
        until(lambda: consumer.process.poll() is not None, "it ends by itself", 60)
        assert consumer.process.returncode == 1
        assert "the log is damaged at" in consumer.log
        assert f"{settings.physical(STOCK_DATA.name)}[" in consumer.log
