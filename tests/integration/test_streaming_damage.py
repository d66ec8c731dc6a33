"""A log that is not what was written: seen by every reader, told with its coordinates, made no dead letter of."""

from datetime import timedelta

import pytest
from confluent_kafka import Producer

from contracts.events import BarClosed
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from streaming.codec import Codec
from streaming.damage import Damaged
from streaming.dead_letters import DeadLetters
from streaming.epochs import Skip, begin_epoch
from streaming.offsets_at import offsets_at
from streaming.reader import Tail, read_all, read_range
from streaming.settings import StreamSettings
from tests.integration.test_streaming_log import MemorySink, Running, publish
from tests.support.segments import batches, overwritten, segment
from tests.support.topics import clear_topics, produce
from tests.support.waiting import until

BAR = sample(BarClosed)


@pytest.fixture
def settings(isolated) -> StreamSettings:
    return StreamSettings()


def of_others(settings: StreamSettings) -> None:
    """Write one event in a transaction, as a foreign writer does: it takes two offsets."""
    producer = Producer({"bootstrap.servers": settings.kafka, "transactional.id": settings.physical("theirs")})
    producer.init_transactions(30)
    producer.begin_transaction()
    name, value = settings.physical(STOCK_DATA.name), Codec(settings).encode(BAR)
    producer.produce(name, value, BAR.key.encode(), partition=partition_of(settings))
    producer.commit_transaction(30)


def partition_of(settings: StreamSettings) -> int:
    return next(iter(read_all(settings, STOCK_DATA))).partition


def test_damaged_batch_stops_every_reader_with_its_coordinates_and_is_no_dead_letter(settings, servers):
    publish(settings, [BAR])
    partition = partition_of(settings)
    publish(settings, [BAR])
    file = segment(servers.data, settings.physical(STOCK_DATA.name), partition)
    end = batches(file)[1][1]
    told = rf"the log is damaged at .*stock-data\[{partition}\]@1: .*docs/how-to/back-up.md, A damaged log"
    byte = file.read_bytes()[end - 20]
    with overwritten(file, end - 20, bytes([byte ^ 1])):
        with pytest.raises(Damaged, match=told):
            list(read_all(settings, STOCK_DATA))
        tail, sink = Tail(settings, [STOCK_DATA], {(STOCK_DATA.name, partition): 0}), MemorySink()
        with pytest.raises(Damaged, match=told):
            list(tail.rest(30))
        tail.close()
        with pytest.raises(Damaged, match=told):
            offsets_at(settings, STOCK_DATA, BAR.recorded_at + timedelta(days=9))
        with Running(settings, sink) as running:
            until(lambda: running.error is not None)
        with pytest.raises(Damaged, match=told):
            raise running.error
        assert not DeadLetters(settings).of(STOCK_DATA).by_number
    assert [record.event for record in read_all(settings, STOCK_DATA)] == [BAR, BAR]


def test_partition_that_stands_still_while_the_broker_answers_is_damage(settings, servers, monkeypatch):
    monkeypatch.setattr("streaming.stall.STALL_SECONDS", 1.0)
    for _ in range(2):
        publish(settings, [BAR])
    partition = partition_of(settings)
    file = segment(servers.data, settings.physical(STOCK_DATA.name), partition)
    begin = batches(file)[1][0]
    told = rf"damaged at .*stock-data\[{partition}\]@1: the broker has this .* and answers, yet nothing came"
    with overwritten(file, begin + 8, b"\1"):  # its length: beyond the segment's end
        with Running(settings, MemorySink()) as running:
            until(lambda: running.error is not None)
        with pytest.raises(Damaged, match=told):
            raise running.error
        tail = Tail(settings, [STOCK_DATA], {(STOCK_DATA.name, partition): 1})
        with pytest.raises(Damaged, match=told):
            until(lambda: tail.poll(0.1))
        tail.close()


def test_offsets_that_do_not_come_are_damage_unless_others_use_transactions(settings):
    publish(settings, [BAR])
    at = partition_of(settings)
    of_others(settings)  # its end has offset 2
    told = rf"damaged at .*stock-data\[{at}\]@2: what follows is offset 3 .*FORETICK_TRANSACTIONS=true"
    with pytest.raises(Damaged, match=told):  # nothing follows: the end of the range tells
        list(read_range(settings, STOCK_DATA, {}, {at: 3}))
    publish(settings, [BAR])
    with pytest.raises(Damaged, match=told):
        list(read_all(settings, STOCK_DATA))
    with Running(settings, MemorySink()) as running:
        until(lambda: running.error is not None)
    with pytest.raises(Damaged, match=told):
        raise running.error

    allowed = settings.model_copy(update={"transactions": True})
    assert [record.offset for record in read_all(allowed, STOCK_DATA)] == [0, 1, 3]
    sink = MemorySink()
    with Running(allowed, sink):
        until(lambda: sink.next.get((STOCK_DATA.name, at)) == 4)


def test_messages_of_others_are_read_however_they_are_packed(settings):
    produce(settings, STOCK_DATA, Codec(settings).encode(BAR), BAR.key.encode())
    assert [record.event for record in read_all(settings, STOCK_DATA)] == [BAR]


def test_new_epoch_leaves_damage_out_where_that_is_asked(settings, servers, isolated):
    for _ in range(3):
        publish(settings, [BAR])
    file = segment(servers.data, settings.physical(STOCK_DATA.name), partition_of(settings))
    _, end = batches(file)[1]
    new = StreamSettings(topic_prefix=isolated.topic_prefix + "next-")
    with overwritten(file, end - 30, b"\0\1\2\3\4\5\6\7\10\11\12"):
        try:
            with pytest.raises(Damaged):
                begin_epoch(settings, new.topic_prefix)
        finally:
            clear_topics(new)
        new = StreamSettings(topic_prefix=isolated.topic_prefix + "more-")
        try:
            (copied,) = [
                each
                for each in begin_epoch(settings, new.topic_prefix, skip=Skip(damaged=True))
                if each.topic == STOCK_DATA.name
            ]
            assert (copied.events, len(copied.damage)) == (2, 1)
            assert "@1: nothing can be read there" in copied.damage[0]
            assert [record.event for record in read_all(new, STOCK_DATA)] == [BAR, BAR]
        finally:
            clear_topics(new)
