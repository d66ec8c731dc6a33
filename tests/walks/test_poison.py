"""What nobody can read goes to the dead letters with its coordinates, and its partition goes on."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

from contracts.events import BarClosed
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from projections.read_models.bars import BARS
from projections.settings import ProjectionSettings
from streaming.codec import Codec
from streaming.reader import read_all
from tests.integration.projecting import (
    Running,
    assert_reconciled,
    bars,
    clear,
    command,
    documents,
    publish,
    publish_raw,
)
from tests.support.waiting import until


@pytest.fixture
def settings(isolated) -> Iterator[ProjectionSettings]:
    settings = ProjectionSettings(snapshot_seconds=0)
    yield settings
    clear(settings)


def test_poison_between_good_events_is_dead_lettered_and_the_partition_goes_on(settings):
    publish(settings, bars(5))
    partition = next(record.partition for record in read_all(settings, STOCK_DATA) if record.key == "AAPL")
    truncated = Codec(settings).encode(sample(BarClosed))[:-9]
    for value in (b"\x01not a magic byte", b"\x00\x00", b"\x00\x7f\xff\xff\xffunknown schema", truncated):
        publish_raw(settings, value, partition)
    publish(settings, bars(5, first=5))

    with Running(settings, BARS) as running:
        running.catch_up()

    assert len(documents(settings, "stock_data")) == 10
    rows = assert_reconciled(settings, BARS)
    assert sum(row["dead"] for row in rows) == 4
    assert sum(row["applied"] for row in rows) == 10
    dead = dead_letters(settings, 4)
    offsets = [int(headers["foretick_offset"]) for _, headers in dead]
    assert offsets == list(range(offsets[0], offsets[0] + 4))
    assert {headers["foretick_partition"] for _, headers in dead} == {str(partition)}
    assert {headers["foretick_topic"] for _, headers in dead} == {STOCK_DATA.name}
    assert "magic byte" in dead[0][1]["foretick_error"]
    assert dead[0][0] == b"\x01not a magic byte"
    assert dead[2][1]["foretick_schema_id"] == str(0x7FFFFFFF)

    listed = command("dlq", "list", STOCK_DATA.name)
    assert all(f"stock-data/{number}" in listed for number in range(4))


def dead_letters(settings: ProjectionSettings, count: int) -> list[tuple[bytes, dict[str, str]]]:
    """Read the dead letters as anybody would: bytes and headers, until there are `count`, and no more."""
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": settings.physical("reader")})
    consumer.assign([TopicPartition(settings.physical(STOCK_DATA.dlq), 0, 0)])
    found = []

    def read() -> bool:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append((message.value(), {name: value.decode() for name, value in message.headers()}))
        return len(found) >= count

    until(read, "the dead letters are there", 30)
    assert consumer.poll(1.0) is None
    consumer.close()
    return found
