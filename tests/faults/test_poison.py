"""Data that nobody can read, between good events; a document that the server refuses, within a bulk."""

import io
import struct
from dataclasses import replace

import fastavro
import pytest
from confluent_kafka import Producer

from contracts.events import BarClosed, CorporateActionAnnounced
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from contracts.versions import newest
from projections.rebuild import RebuildRefused, rebuild
from streaming.codec import Codec
from streaming.dead_letters import DeadLetters
from tests.faults.streams import caught_up, position, publish, stream
from tests.faults.truths import assert_exactly_once, decoded, raw
from tests.integration.projecting import database, documents
from tests.support.waiting import until


def poison(settings) -> dict[str, bytes | None]:
    """Return messages that are no bars, by what the dead letter must say of them."""
    codec = Codec(settings)
    good = codec.encode(sample(BarClosed))
    upside_down = sample(BarClosed).to_record() | {"low": 500.0}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(newest(BarClosed).schema), upside_down)
    return {
        "magic byte 1": b"\x01" + good[1:],
        "is not in the registry": struct.pack(">bI", 0, 0x7FFFFFFF) + good[5:],
        "no BarClosed in these bytes": good[: len(good) // 2],
        "bytes too many": good + b"!",
        "low 500.0 is above": good[:5] + out.getvalue(),
        "is of CorporateActionAnnounced": codec.encode(sample(CorporateActionAnnounced)),
        "0 bytes are too few": b"",
        "are too few for a magic byte": None,
    }


def test_poison_of_every_kind_between_good_events_is_dead_lettered_and_nothing_else_is(settings, service, dice):
    kinds = poison(settings)
    events = stream(50 * (len(kinds) + 1), dice)
    producer = Producer({"bootstrap.servers": settings.kafka})
    for number, value in enumerate(kinds.values()):
        publish(settings, events[50 * number : 50 * number + 50])
        producer.produce(settings.physical(STOCK_DATA.name), value, b"poison", partition=dice.randrange(6))
        assert producer.flush(30) == 0
    publish(settings, events[50 * len(kinds) :])

    consumer = service()
    consumer.start()
    until(lambda: caught_up(settings), "it has passed all of it")
    assert consumer.stop() == 0

    letters = list(DeadLetters(settings).of(STOCK_DATA).by_number.values())
    told = {letter.dead.value: letter.dead.error for letter in letters}
    assert len(letters) == len(told) == len(kinds)
    for what, value in kinds.items():
        assert what in told[value]
    unread = {(partition, offset): value for partition, offset, value in raw(settings)}
    assert all(unread[letter.dead.partition, letter.dead.offset] == letter.dead.value for letter in letters)
    with pytest.raises(RebuildRefused, match="foretick dlq"):
        rebuild(settings, "stock_data", verify_only=True)
    assert_exactly_once(settings, dead=len(kinds))


def test_document_that_the_server_refuses_within_a_bulk_stops_it_with_coordinates_and_the_rest_is_written(
    settings, service, dice
):
    events = stream(400, dice)
    events[200] = replace(events[200], volume=1e15)
    bad = events[200]
    publish(settings, events)
    place = next((p, o) for p, o, bar in decoded(settings, raw(settings)) if bar["volume"] == 1e15)
    validator = {"$jsonSchema": {"properties": {"volume": {"maximum": 1e12}}}}
    with database(settings) as found:
        found.create_collection("stock_data", validator=validator)
    consumer = service()
    consumer.start()

    assert until(lambda: consumer.process.poll(), "it stops") == 1

    assert bad.bar_id in consumer.log
    assert f"stock-data[{place[0]}]@{place[1]}" in consumer.log
    assert position(settings).get(place[0], 0) <= place[1]
    assert bad.bar_id not in documents(settings, "stock_data")
    with database(settings) as found:
        found.command("collMod", "stock_data", validator={})
    consumer.start()
    until(lambda: caught_up(settings), "mended, it goes on")
    assert consumer.stop() == 0
    assert_exactly_once(settings)
