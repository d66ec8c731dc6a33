"""More partitions: the log copied to a new epoch, and everything that is derived from it derived again."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from contracts.samples import SAMPLES
from contracts.topics import STOCK_DATA, TOPICS
from projections.documents import business
from projections.read_models.bars import BARS
from projections.read_models.symbols import SYMBOLS
from projections.settings import ProjectionSettings
from projections.sink import TopicMadeAnew
from streaming import fitness
from streaming.epochs import EpochRefused, begin_epoch
from streaming.reader import HistoryGone, read_all, watermarks
from tests.integration.projecting import Running, bars, clear, command, documents, expected, publish, publish_raw
from tests.support.waiting import until

MODELS = (BARS, SYMBOLS)


@pytest.fixture
def grown(settings, monkeypatch) -> Iterator[ProjectionSettings]:
    """The settings of an epoch in which stock-data has nine partitions."""
    table = tuple(replace(topic, partitions=9) if topic is STOCK_DATA else topic for topic in TOPICS)
    monkeypatch.setattr(fitness, "TOPICS", table)
    grown = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}e2-"})
    yield grown
    clear(grown)


def by_symbol(settings) -> dict[str, list]:
    found = defaultdict(list)
    for record in sorted(read_all(settings, STOCK_DATA), key=lambda record: (record.partition, record.offset)):
        found[record.event.symbol].append((record.event, record.timestamp, dict(record.headers), record.schema_id))
    return found


def state(settings, model) -> dict:
    return {key: business(document) for key, document in documents(settings, model.name).items()}


def test_new_epoch_has_more_partitions_the_same_events_in_order_and_read_models_are_built_from_it(
    settings, grown, monkeypatch
):
    publish(settings, [*SAMPLES, *bars(100), *bars(30, revision=1)])
    publish_raw(settings, b"poison")
    with Running(settings, *MODELS) as running:
        running.catch_up()
    before, history = {model.name: state(settings, model) for model in MODELS}, by_symbol(settings)

    refused = command("new-epoch", grown.topic_prefix, code=1)
    assert "cannot be read" in refused
    command("dlq", "drop", "stock-data/0", "--reason", "a test's poison")
    assert "holds messages already" in command("new-epoch", grown.topic_prefix, code=1)
    grown = grown.model_copy(update={"topic_prefix": f"{settings.topic_prefix}e3-"})
    shown = command("new-epoch", grown.topic_prefix)

    assert f"{sum(map(len, history.values()))} events in 9 partitions, 1 dead letters left out" in shown
    assert len(watermarks(grown, STOCK_DATA)) == 9
    assert by_symbol(grown) == history
    with Running(grown, *MODELS) as running:
        until(lambda: running.code is not None, "the read models refuse the other epoch's offsets")
        assert TopicMadeAnew.__name__ in running.service.status()["failed"][0]

    monkeypatch.setenv("FORETICK_TOPIC_PREFIX", grown.topic_prefix)
    for model in MODELS:
        assert "took over" in command("rebuild", model.name, "--accept-difference")
        assert state(grown, model) == before[model.name]
    publish(grown, bars(20, first=100))
    with Running(grown, *MODELS) as running:
        running.catch_up()
    for model in MODELS:
        assert documents(grown, model.name) == expected(grown, model)
        assert "Equal" in command("rebuild", model.name, "--verify-only")
    clear(grown)


def test_new_epoch_of_the_same_prefix_or_of_a_log_that_is_not_whole_is_refused(settings, grown):
    publish(settings, bars(50))
    with pytest.raises(EpochRefused, match="take another one"):
        begin_epoch(settings, settings.topic_prefix)
    partition = next(place for place, (_, high) in watermarks(settings, STOCK_DATA).items() if high > 3)
    place = TopicPartition(settings.physical(STOCK_DATA.name), partition, 3)
    client = AdminClient({"bootstrap.servers": settings.kafka})
    client.delete_records([place])[place].result(30)
    with pytest.raises(HistoryGone, match=r"offsets 0 to 2 are gone"):
        begin_epoch(settings, grown.topic_prefix)
