"""Appending: who has not read what others wrote writes nothing; readers see whole transactions, up to their ends."""

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from confluent_kafka import Producer

from contracts.events import BarClosed, CorporateActionAnnounced
from contracts.samples import sample
from contracts.topics import CORPORATE_ACTIONS, STOCK_DATA
from streaming.appending import Appender, Overtaken
from streaming.codec import Codec
from streaming.damage import Damaged
from streaming.headers import SEQUENCE
from streaming.reader import Tail, read_all, watermarks
from streaming.settings import StreamSettings
from tests.integration.test_streaming_log import MemorySink, Running, publish
from tests.support.waiting import until

BAR = sample(BarClosed)
CLOSES = [BAR.closed_at + timedelta(days=day) for day in range(6)]
BARS = [replace(BAR, closed_at=close, recorded_at=close) for close in CLOSES]
NOTHING = {STOCK_DATA.name: 0, CORPORATE_ACTIONS.name: 0}
# Appends two events, and stops in the middle of the transaction until a line comes.
CUT_OFF = """
import sys
from streaming.appending import _Writer
from tests.integration.test_streaming_appending import BARS, StreamSettings, append, writer
appender = writer(StreamSettings())
act = _Writer._patiently
def cut_off(self, step):
    if "commit" in step.__name__:
        self._producer.flush(10)
        print("in the middle", flush=True)
        sys.stdin.readline()
    act(self, step)
_Writer._patiently = cut_off
append(appender, BARS[3:5], 1)
"""


@pytest.fixture
def settings(isolated) -> StreamSettings:
    return StreamSettings()


def writer(settings: StreamSettings) -> Appender:
    appender = Appender(settings, "/test/writers")
    appender.take([BAR.key])
    return appender


def append(appender: Appender, bars: list[BarClosed], before: int) -> dict[str, int]:
    return appender.append(bars, bars[-1].closed_at, NOTHING | {STOCK_DATA.name: before})


def ended(settings: StreamSettings, partition: int, end: int) -> None:
    until(lambda: watermarks(settings, STOCK_DATA)[partition] == (0, end), "the transaction has ended")


def there(settings: StreamSettings) -> list[BarClosed]:
    return [record.event for record in read_all(settings, STOCK_DATA)]


def test_events_are_appended_in_order_with_their_numbers_and_read_to_the_end(settings):
    appender = writer(settings)
    split = sample(CorporateActionAnnounced)
    assert split.key == BAR.key
    appender.append([split, *BARS[:2]], BARS[1].closed_at, NOTHING)
    assert append(appender, BARS[2:3], 2)[STOCK_DATA.name] == 3
    at = appender.number_of(BAR.key)
    ended(settings, at, 5)  # each end takes an offset, too

    records = list(read_all(settings, STOCK_DATA))
    assert [record.event for record in records] == BARS[:3]
    assert [(record.partition, record.offset, int(record.headers[SEQUENCE])) for record in records] == [
        (at, 0, 0),
        (at, 1, 1),
        (at, 3, 2),
    ]
    assert [record.event for record in read_all(settings, CORPORATE_ACTIONS)] == [split]


def test_writer_that_was_overtaken_appends_nothing_until_it_has_taken_over_again(settings):
    one, other = writer(settings), writer(settings)
    with pytest.raises(Overtaken):
        append(one, BARS[:2], 0)
    append(other, BARS[:1], 0)
    assert not one.writes(BAR.key)
    one.take([BAR.key])
    append(one, BARS[1:2], 1)
    with pytest.raises(Overtaken):
        append(other, BARS[1:2], 1)
    until(lambda: there(settings) == BARS[:2])


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "asleep"])
def test_nothing_is_there_of_a_writer_cut_off_in_mid_transaction_once_it_is_overtaken(settings, fate):
    append(writer(settings), BARS[:1], 0)
    command = [sys.executable, "-c", CUT_OFF]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert "in the middle\n" in iter(lambda: process.stdout.readline().decode(), "")
        process.send_signal(fate)
        appender = writer(settings)
        append(appender, BARS[1:2], 1)
        until(lambda: there(settings) == BARS[:2])

        process.send_signal(signal.SIGCONT)
        _, told = process.communicate(b"\n", timeout=60)
    assert fate == signal.SIGKILL or b"Overtaken: another writer has taken partition" in told
    append(appender, BARS[2:3], 2)
    until(lambda: there(settings) == BARS[:3])


def test_loops_and_tails_come_to_the_end_of_what_was_appended(settings):
    sink, appender = MemorySink(), writer(settings)
    at = appender.number_of(BAR.key)
    tail = Tail(settings, [STOCK_DATA])
    with Running(settings, sink) as running:
        for count in range(3):
            append(appender, [BARS[count]], count)
            ended(settings, at, 2 * count + 2)
            assert [record.event for batch in tail.rest(10) for record in batch] == [BARS[count]]
        assert list(tail.rest(10)) == []
        until(lambda: sink.next.get((STOCK_DATA.name, at)) == 6)
        until(lambda: running.loop.state.caught_up and running.loop.state.lag == 0)
    tail.close()
    assert [record.event for record in sink.records] == BARS[:3]


@pytest.mark.parametrize("start", [1, 2], ids=["at its end", "after it"])
def test_reader_that_begins_where_a_transaction_ends_goes_on(settings, start):
    append(writer(settings), BARS[:1], 0)
    until(lambda: there(settings))
    publish(settings, BARS[1:2])  # by someone who uses no transactions, after an end that nobody can read
    at = next(read_all(settings, STOCK_DATA)).partition
    tail, sink = Tail(settings, [STOCK_DATA], {(STOCK_DATA.name, at): start}), MemorySink()
    sink.next = {(STOCK_DATA.name, at): start}
    assert [record.event for batch in tail.rest(10) for record in batch] == BARS[1:2]
    tail.close()
    with Running(settings, sink):
        until(lambda: [record.event for record in sink.records] == BARS[1:2])
    assert there(settings) == BARS[:2]


def test_event_that_is_missing_between_transactions_is_damage(settings):
    appender = writer(settings)
    for sequence in (0, 1, 3):  # as if the batch of number 2 could not be seen
        append(appender, [BARS[sequence]], sequence)
    at = appender.number_of(BAR.key)
    with pytest.raises(Damaged, match=rf"damaged at .*stock-data\[{at}\]@3: what follows is offset 4"):
        there(settings)


def test_damage_at_the_end_of_a_log_without_transactions_is_still_seen(settings):
    publish(settings, BARS[:1])
    theirs = Producer({"bootstrap.servers": settings.kafka, "transactional.id": settings.physical("theirs")})
    theirs.init_transactions(30)
    theirs.begin_transaction()
    value, at = Codec(settings).encode(BAR), next(read_all(settings, STOCK_DATA)).partition
    theirs.produce(settings.physical(STOCK_DATA.name), value, BAR.key.encode(), partition=at)
    theirs.commit_transaction(30)
    with pytest.raises(Damaged, match="@2: what follows is offset 3"):
        there(settings)
