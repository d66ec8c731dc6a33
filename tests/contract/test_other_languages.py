"""A program in another language, with nothing of ours, reads the topics by what is published about them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from contracts.versions import newest
from projections.settings import ProjectionSettings
from streaming.reader import read_all
from streaming.registry import Registry
from tests.integration.projecting import bars, clear_topics, publish
from tests.support.node import run

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def settings(isolated) -> Iterator[ProjectionSettings]:
    settings = ProjectionSettings(snapshot_seconds=0)
    yield settings
    clear_topics(settings)


def plain(value: object) -> object:
    """Return a value as Avro has it without logical types: times as microseconds."""
    return (value - EPOCH) // (datetime.resolution) if isinstance(value, datetime) else value


@pytest.mark.slow  # it installs npm packages
def test_node_program_with_the_registry_decodes_every_bar_as_it_was_published(settings) -> None:
    sent = bars(25)
    publish(settings, sent)

    read = run("read.js", settings.kafka, settings.registry, settings.physical(STOCK_DATA.name), "25")

    records = {(record.partition, record.offset): record for record in read_all(settings, STOCK_DATA)}
    assert len(read) == len(records) == 25
    schema_id = Registry(settings).id_of(STOCK_DATA, newest(BarClosed))
    for message in read:
        record = records[message["partition"], int(message["offset"])]
        assert message["data"] == {name: plain(value) for name, value in record.event.to_record().items()}
        assert (message["key"], message["schemaId"]) == (record.key, schema_id)
        assert message["headers"] == dict(record.headers)
        assert message["headers"]["ce_type"] == "foretick.BarClosed"
