"""Servers that are away, or that answer nonsense, for a while: everything waits, nothing is skipped."""

import io
import json
import time
from dataclasses import replace

import fastavro
import httpx
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from contracts.versions import newest
from tests.faults.proxies import proxy
from tests.faults.streams import caught_up, position, publish, stream
from tests.faults.truths import MODELS, assert_exactly_once, raw
from tests.integration.projecting import database
from tests.support.waiting import until

_FULL = 100_000


def publish_with_new_schema(settings, event: BarClosed, field: str) -> tuple[int, int]:
    """Register a schema that nobody has seen, as a producer of tomorrow; publish one event with it."""
    subject = settings.physical(STOCK_DATA.subject)
    versions = httpx.get(f"{settings.registry}/subjects/{subject}/versions/latest").json()
    schema = json.loads(versions["schema"])
    assert schema["name"] == newest(BarClosed).schema["name"]
    schema["fields"].append({"name": field, "type": ["null", "string"], "default": None, "doc": "of tomorrow"})
    told = httpx.post(f"{settings.registry}/subjects/{subject}/versions", json={"schema": json.dumps(schema)})
    out = io.BytesIO(b"\0" + told.json()["id"].to_bytes(4, "big"))
    out.seek(0, io.SEEK_END)
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), event.to_record() | {field: "told"})
    place: list[tuple[int, int]] = []
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random"})
    producer.produce(
        settings.physical(STOCK_DATA.name),
        out.getvalue(),
        event.key.encode(),
        on_delivery=lambda error, message: place.append((message.partition(), message.offset())),
    )
    assert producer.flush(30) == 0
    return place[0]


def test_registry_away_or_answering_500_while_a_new_schema_id_comes_is_waited_for_and_nothing_is_skipped(
    settings, service, dice
):
    events = stream(800, dice)
    with proxy(settings.registry) as registry:
        consumer = service(FORETICK_REGISTRY=registry.url)
        consumer.start()
        publish(settings, events[:200])
        until(lambda: caught_up(settings), "it has caught up")
        for number, fault in enumerate(({"status": 500}, {"deaf": True}, {"status": 503}), start=1):
            vars(registry).update(fault)
            first = len(registry.asked)
            partition, offset = publish_with_new_schema(settings, events[200 * number], f"venue{number}")
            publish(settings, events[200 * number + 1 : 200 * number + 200])

            until(lambda: any("the registry at" in reason for reason in consumer.reasons()), f"it waits: {fault}")
            until(lambda first=first: len(registry.asked) >= first + 3, "it has asked again and again")
            assert position(settings)[partition] <= offset
            registry.mend()
            until(lambda: caught_up(settings), "it goes on by itself")
            until(lambda: consumer.reasons() == [], "it is ready")
        assert consumer.stop() == 0

    assert raw(settings, STOCK_DATA.dlq) == []
    assert_exactly_once(settings)


@pytest.mark.long
def test_documents_server_away_for_long_is_waited_for_and_nothing_is_lost(settings, broken, service, events, dice):
    seconds = 30 if events >= _FULL else 10
    bars = stream(3000, dice)
    consumer = service()
    consumer.start()
    publish(settings, bars[:1500])
    until(lambda: sum(position(settings).values()) > 0, "events come in")

    with broken.away("mongodb"):
        began = time.monotonic()
        publish(settings, bars[1500:])
        until(lambda: any("MongoDB" in reason for reason in consumer.reasons()), "it says what it waits for")
        until(lambda: time.monotonic() - began > seconds, f"{seconds} s have passed", seconds)
        assert consumer.process.poll() is None

    until(lambda: caught_up(settings), "it goes on by itself")
    until(lambda: consumer.reasons() == [], "it is ready")
    assert consumer.stop() == 0
    assert_exactly_once(settings)


def test_projections_told_to_end_while_the_broker_stands_still_end_cleanly(settings, broken, service, dice):
    publish(settings, stream(500, dice))
    consumer = service()
    consumer.start()
    until(lambda: caught_up(settings), "it has caught up")

    with broken.standing_still("kafka"):
        assert consumer.stop() == 0

    assert "left without a goodbye" in consumer.log
    assert_exactly_once(settings)


def test_stream_read_again_from_random_places_and_published_twice_changes_nothing(settings, service, dice):
    """Duplicates and redelivery: checkpoints and committed offsets go back, and each fact comes again."""
    bars = stream(2000, dice)
    publish(settings, bars)
    publish(
        settings, dice.sample([replace(bar, close=bar.open) for bar in bars], 300)
    )  # the same facts, told otherwise
    consumer = service()
    consumer.start()
    until(lambda: caught_up(settings), "it has caught up")
    admin = AdminClient(settings.kafka_config())

    for _ in range(2):
        assert consumer.stop() == 0
        with database(settings) as found:
            for row in list(found["checkpoints"].find({"topic": STOCK_DATA.name})):
                back = dice.randrange(row["next_offset"] + 1)
                found["checkpoints"].update_one({"_id": row["_id"]}, {"$set": {"next_offset": back}})
        for model in MODELS:
            group = settings.physical(f"foretick.{model.name}")
            name = settings.physical(STOCK_DATA.name)
            places = [TopicPartition(name, place, dice.randrange(10)) for place in range(STOCK_DATA.partitions)]
            admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])[group].result(60)
        consumer.start()
        until(lambda: caught_up(settings), "it has read it again")

    assert consumer.stop() == 0
    assert_exactly_once(settings, moved_back=True)
