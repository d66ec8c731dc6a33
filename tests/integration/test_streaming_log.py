"""Publish, read and consume through a real broker and a real registry."""

import random
import struct
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import ConsumerGroupState, Producer
from confluent_kafka.admin import AdminClient

from contracts.events import BarClosed
from contracts.samples import SAMPLES, sample
from contracts.topics import STOCK_DATA, topic_of
from streaming.codec import Codec, Poison
from streaming.dead_letters import DeadLetters
from streaming.errors import StoreAway
from streaming.loop import Loop
from streaming.offsets_at import offsets_at
from streaming.publisher import Publisher
from streaming.reader import HistoryGone, Tail, read_all, read_range, topic_epoch, watermarks
from streaming.records import Batch
from streaming.redriving import CannotSettle, Redriver
from streaming.registry import Registry
from streaming.restoring import restore_registry
from streaming.settings import StreamSettings
from tests.support.topics import produce
from tests.support.waiting import PATIENCE, until

BAR = sample(BarClosed)


def bars(count: int) -> list[BarClosed]:
    closes = [BAR.closed_at + timedelta(days=n) for n in range(count)]
    return [
        replace(BAR, symbol=f"S{n % 7}", closed_at=closed_at, recorded_at=closed_at)
        for n, closed_at in enumerate(closes)
    ]


def publish(settings: StreamSettings, events) -> None:
    with Publisher(settings, "/tests") as publisher:
        for event in events:
            publisher.publish(event, time=datetime(2012, 1, 4, tzinfo=UTC))


def publish_raw(settings: StreamSettings, *values: bytes | None, partition: int = 0) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka})
    for value in values:
        producer.produce(settings.physical(STOCK_DATA.name), value, b"poison", partition=partition)
    assert producer.flush(10) == 0


class MemorySink:
    """Keeps what it is given; `failures` times it says that its store is away first."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.records, self.dead, self.next = [], [], {}

    def positions(self, partitions):
        return {place: self.next[place] for place in partitions if place in self.next}

    def apply(self, batch: Batch) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreAway("the test's store is away")
        self.records += batch.records
        self.dead += batch.dead
        self.next |= batch.next_offsets


class Running:
    """A loop in a thread of its own, stopped on leaving; `error` is what it died of."""

    def __init__(self, settings, sink, topics=(STOCK_DATA,), group="test"):
        self.loop, self.stop, self.error = Loop(settings, group, topics, sink), threading.Event(), None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.loop.run(self.stop)
        except Exception as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(PATIENCE * 10)
        assert not self.thread.is_alive()


@pytest.fixture
def settings(isolated) -> StreamSettings:
    return StreamSettings()


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_event_published_is_read_back_equal_with_cloudevents_headers(settings, event):
    publish(settings, [event])
    (record,) = read_all(settings, topic_of(type(event)))
    assert record.event == event
    assert record.key == event.key
    assert record.headers["ce_time"] == "2012-01-04T00:00:00Z"
    assert datetime.now(UTC) - record.timestamp < timedelta(minutes=5)  # not the market's time: ADR 0016
    assert record.headers["ce_id"] == event.event_id
    assert record.headers["ce_type"] == f"foretick.{type(event).__name__}"
    assert record.headers["content-type"] == "application/avro"


def test_event_caused_by_another_names_it_and_stays_in_its_trace(settings):
    publish(settings, [BAR])
    (cause,) = read_all(settings, STOCK_DATA)
    with Publisher(settings, "/tests") as publisher:
        publisher.publish(SAMPLES[2], time=BAR.recorded_at, cause=cause)
    (effect,) = read_all(settings, "stock-forecasts")
    assert effect.headers["ce_causationid"] == cause.event_id
    assert effect.headers["traceparent"].split("-")[1] == cause.headers["traceparent"].split("-")[1]


def test_events_of_one_symbol_keep_their_order(settings):
    publish(settings, bars(700))
    seen = [record for record in read_all(settings, STOCK_DATA) if record.key == "S3"]
    assert [record.event.closed_at for record in seen] == sorted(record.event.closed_at for record in seen)
    assert len(seen) == 100
    assert len({record.partition for record in seen}) == 1


def test_offsets_at_a_moment_are_found_by_the_market_s_time(settings):
    hours = [BAR.closed_at + timedelta(hours=n // 3) for n in range(60)]
    with Publisher(settings, "/tests") as publisher:
        for bar, hour in zip(bars(60), hours, strict=True):
            publisher.publish(bar, time=hour)
    records = list(read_all(settings, STOCK_DATA))
    assert len({record.partition for record in records}) > 2

    for moment in (hours[0] - timedelta(hours=1), hours[0], hours[7], hours[7] + timedelta(minutes=1), hours[-1]):
        wanted = dict.fromkeys(range(STOCK_DATA.partitions), 0) | Counter(
            record.partition for record in records if datetime.fromisoformat(record.headers["ce_time"]) <= moment
        )
        assert offsets_at(settings, STOCK_DATA, moment) == wanted


def test_offsets_at_a_moment_of_messages_without_headers_are_found_by_their_own_time(settings):
    publish_raw(settings, b"1", b"2", b"3")

    assert offsets_at(settings, STOCK_DATA, datetime.now(UTC) - timedelta(hours=1))[0] == 0
    assert offsets_at(settings, STOCK_DATA, datetime.now(UTC) + timedelta(hours=1))[0] == 3


def test_range_of_offsets_gives_exactly_these(settings):
    days = [BAR.closed_at + timedelta(days=n) for n in range(50)]
    publish(settings, [replace(BAR, closed_at=day, recorded_at=day) for day in days])
    ((partition, (_, end)),) = [(p, marks) for p, marks in watermarks(settings, STOCK_DATA).items() if marks[1]]
    assert end == 50
    read = list(read_range(settings, STOCK_DATA, {partition: 10}, {partition: 20}))
    assert [record.offset for record in read] == list(range(10, 20))


def test_range_beyond_the_end_is_refused_naming_what_is_missing(settings):
    with pytest.raises(HistoryGone, match=r"offset 9 is asked for, the log ends before 0"):
        list(read_range(settings, STOCK_DATA, {0: 0}, {0: 10}))


def test_poison_in_a_range_stops_with_its_coordinates_or_is_skipped_as_asked(settings):
    publish_raw(settings, b"\x07nonsense")
    with pytest.raises(Poison, match=r"stock-data\[0\]@0: magic byte 7"):
        list(read_range(settings, STOCK_DATA, {0: 0}, {0: 1}))
    dead = []
    assert list(read_range(settings, STOCK_DATA, {0: 0}, {0: 1}, on_poison="skip", on_dead=dead.append)) == []
    assert dead[0].value == b"\x07nonsense"


def test_epoch_is_stable_while_the_topic_lives(settings):
    assert (
        topic_epoch(settings, STOCK_DATA)
        == topic_epoch(settings, STOCK_DATA)
        != topic_epoch(settings, "stock-data.dlq")
    )


def test_tail_gives_what_comes_after_it_began(settings):
    publish(settings, bars(5))
    tail = Tail(settings, [STOCK_DATA])
    seen = []
    try:
        publish(settings, bars(3))
        until(lambda: seen.extend(tail.poll(0.2)) or len(seen) >= 3)
        assert len(seen) == 3
    finally:
        tail.close()


def test_loop_buries_poison_with_coordinates_and_goes_on(settings):
    registered = b"\x00\x00\x00\x00"
    truncated = next(iter(_encoded(settings, BAR)))[:-9]
    publish(settings, bars(10))
    first = watermarks(settings, STOCK_DATA)[0][1]
    publish_raw(settings, b"\x01bad magic", b"\x00\x7f\xff\xff\xff??", truncated, registered, None)
    publish(settings, bars(20)[10:])
    sink = MemorySink()
    with Running(settings, sink) as running:
        until(lambda: len(sink.records) == 20 and len(sink.dead) == 5)
        until(lambda: running.loop.state.read == 25)
    assert running.error is None
    assert [dead.offset for dead in sink.dead] == list(range(first, first + 5))
    assert [
        next(
            hint for hint in ("magic byte 1", "is not in the registry", "no BarClosed", "too few") if hint in dead.error
        )
        for dead in sink.dead
    ] == ["magic byte 1", "is not in the registry", "no BarClosed", "too few", "too few"]
    poison = [b"\x01bad magic", b"\x00\x7f\xff\xff\xff??", truncated, registered, None]
    assert _buried(settings) == [(value, first + n) for n, value in enumerate(poison)]


def test_loop_waits_while_the_store_is_away_and_skips_nothing(settings):
    publish(settings, bars(30))
    sink = MemorySink(failures=3)
    with Running(settings, sink) as running:
        until(lambda: "store is away" in running.loop.state.waiting_for)
        until(lambda: len(sink.records) == 30)
        until(lambda: running.loop.state.waiting_for == "")
    assert len({record.event_id for record in sink.records}) == 30


def test_loop_waits_while_the_registry_is_away_and_buries_nothing(settings):
    publish(settings, bars(10))
    away = settings.model_copy(update={"registry": "http://127.0.0.1:9"})
    sink = MemorySink()
    with Running(away, sink) as running:
        until(lambda: "does not answer" in running.loop.state.waiting_for)
    assert (sink.records, sink.dead) == ([], [])


def test_loop_waits_for_a_schema_that_the_registry_has_lost_and_buries_nothing(settings):
    """As after the registry lost its storage: what stands in the log is of ours, and sound."""
    publish(settings, bars(10))
    value = Codec(settings).encode(BAR)
    lost = struct.pack(">bI", 0, random.randrange(1 << 30, 1 << 31)) + value[5:]
    ours = {"ce_source": "/foretick/producers"}
    produce(settings, STOCK_DATA, lost, BAR.symbol.encode(), ours)
    sink = MemorySink()
    with Running(settings, sink) as running:
        until(lambda: "`foretick contracts restore`" in running.loop.state.waiting_for)
        assert sink.dead == []
        restore_registry(settings)
        until(lambda: len(sink.records) == 11 and running.loop.state.waiting_for == "")
    assert sink.dead == []


@pytest.mark.parametrize(
    ("key", "change", "told"),
    [
        (b"MSFT", {}, "the message's key is 'MSFT', the event's is"),
        (None, {}, "the message's key is None"),
        (BAR.symbol.encode(), {"closed_at": datetime(2099, 1, 4, 21, tzinfo=UTC)}, "BarClosed of the future"),
        (
            BAR.symbol.encode(),
            {"closed_at": datetime(2099, 1, 4, tzinfo=UTC), "recorded_at": datetime(2099, 1, 4, tzinfo=UTC)},
            "BarClosed of the future",
        ),
        # Past by the wall clock, but of the future of the market that its writer knew.
        (BAR.symbol.encode(), {"closed_at": BAR.recorded_at + timedelta(days=1)}, "BarClosed of the future"),
    ],
)
def test_loop_buries_what_cannot_stand_where_it_stands_and_goes_on(settings, key, change, told):
    produce(settings, STOCK_DATA, Codec(settings).encode(replace(BAR, **change)), key)
    publish(settings, bars(3))
    sink = MemorySink()
    with Running(settings, sink):
        until(lambda: len(sink.records) == 3 and sink.dead)
    (dead,) = sink.dead
    assert told in dead.error
    (letter,) = DeadLetters(settings).of(STOCK_DATA).open
    assert letter.dead == dead


def test_letter_of_a_wrong_key_is_redriven_under_its_events_own_and_one_of_the_future_is_not(settings):
    later = replace(BAR, closed_at=datetime(2099, 1, 4, 21, tzinfo=UTC))
    produce(settings, STOCK_DATA, Codec(settings).encode(BAR), b"MSFT")
    produce(settings, STOCK_DATA, Codec(settings).encode(later), BAR.symbol.encode())
    sink = MemorySink()
    with Running(settings, sink):
        until(lambda: len(sink.dead) == 2)
    letters = {letter.dead.key: letter for letter in DeadLetters(settings).of(STOCK_DATA).open}
    redriver = Redriver(settings, lambda: datetime.now(UTC))
    redriver.redrive(letters[b"MSFT"])
    with pytest.raises(CannotSettle, match=r"of the future.*foretick dlq drop"):
        redriver.redrive(letters[BAR.symbol.encode()])
    assert [(record.key, record.event) for record in read_all(settings, STOCK_DATA)] == [(BAR.symbol, BAR)]


def test_loop_starts_where_the_state_ends_whatever_was_committed(settings):
    publish(settings, bars(40))
    sink = MemorySink()
    with Running(settings, sink):
        until(lambda: len(sink.records) == 40)
    restored = MemorySink()
    restored.next = {place: offset // 2 for place, offset in sink.next.items()}
    missing = 40 - sum(restored.next.values())
    with Running(settings, restored):
        until(lambda: len(restored.records) == missing)


def test_loop_with_a_bug_in_its_sink_stops_loudly(settings):
    publish(settings, bars(1))

    class Broken(MemorySink):
        def apply(self, batch):
            raise ZeroDivisionError("a bug")

    with Running(settings, Broken()) as running:
        until(lambda: running.error is not None)
    assert isinstance(running.error, ZeroDivisionError)


def test_loop_with_a_position_beyond_the_log_refuses(settings):
    sink = MemorySink()
    sink.next = {(STOCK_DATA.name, partition): 1000 for partition in range(STOCK_DATA.partitions)}
    with Running(settings, sink) as running:
        until(lambda: running.error is not None)
    assert isinstance(running.error, HistoryGone)


def test_two_loops_share_the_partitions_and_lose_nothing_when_one_leaves(settings):
    one, two = MemorySink(), MemorySink()
    two.next = one.next  # as two processes over one database
    with Running(settings, one) as first:
        with Running(settings, two) as second:
            until(lambda: first.loop.state.positions and second.loop.state.positions)
            publish(settings, bars(200))
            until(lambda: len(one.records) + len(two.records) >= 200)
        publish(settings, bars(300)[200:])
        until(lambda: len({record.event_id for sink in (one, two) for record in sink.records}) == 300)


class HeldSink(MemorySink):
    """Stays in the middle of a batch until told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go = threading.Event(), threading.Event()

    def apply(self, batch):
        self.inside.set()
        assert self.go.wait(PATIENCE * 20)
        super().apply(batch)


def test_loop_asked_for_partitions_in_mid_batch_finishes_it_first_and_nothing_comes_twice(settings):
    one, two = HeldSink(), MemorySink()
    two.next = one.next
    publish(settings, bars(200))
    with Running(settings, one) as first:
        assert one.inside.wait(PATIENCE * 20)
        with Running(settings, two) as second:
            until(lambda: _group_state(settings) == ConsumerGroupState.PREPARING_REBALANCING)
            assert second.loop.state.positions == {}  # they are the first one's until its batch is through
            one.go.set()
            until(lambda: first.loop.state.positions and second.loop.state.positions)
            until(lambda: len(one.records) + len(two.records) >= 200)
    assert len({record.event_id for record in one.records + two.records}) == len(one.records + two.records) == 200
    assert one.records


def test_loop_asked_for_partitions_while_its_store_is_away_drops_the_batch_at_once(settings):
    one, two = MemorySink(failures=1000), MemorySink()
    two.next = one.next
    publish(settings, bars(200))
    with Running(settings, one) as first:
        until(lambda: "store is away" in first.loop.state.waiting_for)
        with Running(settings, two) as second:
            until(lambda: second.loop.state.positions and len(two.records) > 0)
            assert one.records == []
            one.failures = 0
            until(lambda: len(one.records) + len(two.records) >= 200)
    assert len({record.event_id for record in one.records + two.records}) == len(one.records + two.records) == 200


def test_codec_asks_the_registry_once_for_a_schema_however_many_events_there_are(settings, monkeypatch):
    publish(settings, bars(500))
    asked = []
    real = Registry.schema_text
    monkeypatch.setattr(Registry, "schema_text", lambda self, number: asked.append(number) or real(self, number))
    sink = MemorySink()
    with Running(settings, sink):
        until(lambda: len(sink.records) == 500)
    assert len(asked) == len(set(asked)) == 1


def _group_state(settings):
    group = settings.physical("test")
    admin = AdminClient(settings.kafka_config())
    return admin.describe_consumer_groups([group])[group].result(PATIENCE * 10).state


def _encoded(settings, event):
    from streaming.codec import Codec

    yield Codec(settings).encode(event)


def _buried(settings):
    """Return the dead letters' bytes with the offset they came from."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "look", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(settings.physical(STOCK_DATA.dlq), 0, 0)])
    found = []
    until(lambda: found.extend(consumer.consume(10, 0.5)) or len(found) >= 5)
    consumer.close()
    return [(message.value(), int(dict(message.headers())["foretick_offset"])) for message in found]
