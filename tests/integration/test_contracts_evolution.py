"""Versions 1 and 2 of `BarClosed` side by side on one topic: writers, readers, documents, a rebuild, a snapshot."""

import signal
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import httpx
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from contracts import upcasters
from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from contracts.versions import later_fields, versions
from projections.documents import business
from projections.read_models.bars import BARS
from projections.read_models.revisions import REVISIONS
from projections.read_models.symbols import SYMBOLS
from projections.rebuild import rebuild
from projections.settings import ProjectionSettings
from projections.snapshots.content import columns_of
from projections.snapshots.files import snapshot
from projections.snapshots.verification import verify
from streaming.reader import read_all
from tests.integration.gatewaying import GatewayProcess
from tests.integration.projecting import Running, bars, documents, expected, publish

V1 = versions(BarClosed)[0]
MODELS = (BARS, REVISIONS, SYMBOLS)


class OldProgram:
    """A program that was written when there was only version 1, with the registry's own client and no code of ours."""

    def __init__(self, settings: ProjectionSettings) -> None:
        self._topic = settings.physical(STOCK_DATA.name)
        self._kafka = settings.kafka
        self._context = SerializationContext(self._topic, MessageField.VALUE)
        # By default the client waits for ever, and asks for associations that this registry does not have.
        registry = SchemaRegistryClient({"url": settings.registry, "timeout": 10})
        by_topic = {"subject.name.strategy.type": "TOPIC"}
        self._serialize = AvroSerializer(registry, V1.text, conf={"auto.register.schemas": False, **by_topic})
        self._deserialize = AvroDeserializer(registry, V1.text, conf=by_topic)

    def write(self, events: Iterable[BarClosed]) -> None:
        producer = Producer({"bootstrap.servers": self._kafka, "partitioner": "murmur2_random"})
        for event in events:
            record = {name: getattr(event, name) for name in V1.field_names}
            producer.produce(self._topic, self._serialize(record, self._context), event.key.encode())
        assert producer.flush(30) == 0

    def read(self, count: int) -> list[dict[str, Any]]:
        consumer = Consumer(
            {"bootstrap.servers": self._kafka, "group.id": f"{self._topic}-old", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe([self._topic])
        found: list[dict[str, Any]] = []
        while len(found) < count:
            messages = consumer.consume(count, 20.0)
            assert messages, f"only {len(found)} of {count} came"
            found += [self._deserialize(message.value(), self._context) for message in messages]
        consumer.close()
        return found


def untold(events: Iterable[BarClosed]) -> list[BarClosed]:
    """Return bars as version 1 has them."""
    return [replace(event, vwap=None, trades=None) for event in events]


def told(events: Iterable[BarClosed]) -> list[BarClosed]:
    """Return bars as a source gives them that tells vwap and trades, but for every fourth."""
    return [
        replace(event, vwap=event.close - 0.125 if number % 4 else None, trades=100 + number if number % 4 else None)
        for number, event in enumerate(events)
    ]


def project(settings: ProjectionSettings) -> None:
    with Running(settings, *MODELS) as running:
        running.catch_up()


def test_upcaster_of_an_older_version_reaches_its_events_alone_in_what_is_read_from_the_log(settings, monkeypatch):
    OldProgram(settings).write(untold(bars(10)))
    publish(settings, bars(10, first=10))
    # As if version 1 had counted volume in lots of a hundred.
    monkeypatch.setattr(
        upcasters, "UPCASTERS", {("BarClosed", 1): lambda record: {**record, "volume": record["volume"] * 100}}
    )
    volumes = {record.event.bar_id: record.event.volume for record in read_all(settings, STOCK_DATA)}
    assert volumes == {event.bar_id: event.volume * 100 for event in bars(10)} | {
        event.bar_id: event.volume for event in bars(10, first=10)
    }


def test_old_and_new_writers_and_readers_share_a_topic_and_a_rebuild_goes_across_both(settings, isolated, tmp_path):
    old = OldProgram(settings)
    old.write(bars(40))
    project(settings)
    # What today's code makes of an old event is what the code of then made of it: nothing is there that it lacked.
    for model, own in ((BARS, set()), (REVISIONS, {"position"})):
        for document in documents(settings, model.name).values():
            assert set(business(document)) == {"_id", *V1.field_names, *own}
    earlier = snapshot(settings, tmp_path / "earlier", schema_version=1)

    new = told([*bars(40, first=40), *bars(20, revision=1)])  # of these, twenty correct bars of the old writer
    for number in range(0, 60, 20):
        old.write(bars(10, first=80 + number // 2))
        publish(settings, new[number : number + 20])
    old.write(bars(10, first=40, revision=1))  # corrects bars of the new writer, and cannot tell their vwap
    project(settings)
    others = untold([*bars(40), *bars(30, first=80), *bars(10, first=40, revision=1)])
    newest = {event.bar_id: event for event in sorted([*new, *others], key=lambda event: event.revision)}

    # The old reader reads everything, and sees what it knows.
    seen = old.read(40 + 60 + 30 + 10)
    assert all(tuple(record) == V1.field_names for record in seen)
    # The new reader reads everything, and misses what the old writer could not tell.
    events = [record.event for record in read_all(settings, STOCK_DATA)]
    assert len(events) == len(seen) == 140
    assert {event.event_id: event for event in events} == {event.event_id: event for event in [*new, *others]}
    assert len({record.schema_id for record in read_all(settings, STOCK_DATA)}) == 2

    found = documents(settings, BARS.name)
    for bar_id, event in newest.items():
        assert found[bar_id].get("vwap") == event.vwap, bar_id
        assert later_fields(BarClosed).isdisjoint(found[bar_id]) == (event.vwap is None)
    for model in MODELS:
        report = rebuild(settings, model.name)
        assert report.equal, report.comparison
        assert documents(settings, model.name) == expected(settings, model)

    assert verify(tmp_path / "earlier") == []
    snapshot(settings, tmp_path / "again", earlier.position, schema_version=1)
    for path in (tmp_path / "earlier").glob("[!.]*"):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
    snapshot(settings, tmp_path / "now")
    assert (tmp_path / "now" / "AAPL_P1D_2012.csv").read_text().splitlines()[0] == ",".join(columns_of(2))

    gateway = GatewayProcess(tmp_path, isolated.environment)
    gateway.start()
    try:
        items = httpx.get(f"{gateway.url}/api/bars/AAPL").json()["items"]
    finally:
        gateway.end(signal.SIGKILL)
    shown = sorted((event for event in newest.values() if event.symbol == "AAPL"), key=lambda event: event.closed_at)
    assert [(item["vwap"], item["trades"]) for item in items] == [(event.vwap, event.trades) for event in shown]
    assert {event.vwap is None for event in shown} == {True, False}
