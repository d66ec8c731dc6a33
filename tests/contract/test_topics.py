"""Topics that would lose events, or their order, are refused at the start, and mended by the command that is told."""

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from contracts.samples import sample
from contracts.topics import STOCK_DATA, TOPICS
from streaming.admin import prepare_servers
from streaming.fitness import TopicsUnfit, mend, refuse_unfit
from streaming.registry import Registry
from streaming.settings import StreamSettings
from tests.support.topics import clear_topics, produce
from tests.support.waiting import until


@pytest.fixture
def made(isolated):
    """Give settings and a function that makes one topic otherwise than the table says, and no other."""
    settings = StreamSettings(topic_prefix=isolated.topic_prefix + "made-")
    admin = AdminClient({"bootstrap.servers": settings.kafka})

    def make(name: str, partitions: int, **config: str) -> StreamSettings:
        topic = NewTopic(
            settings.physical(name), partitions, 1, config={key.replace("_", "."): each for key, each in config.items()}
        )
        admin.create_topics([topic])[topic.topic].result(30)
        until(lambda: topic.topic in admin.list_topics(timeout=5).topics, "the topic is there")
        return settings

    yield make
    clear_topics(settings)


def test_servers_that_are_started_alone_have_the_topics_and_the_schemas(servers):
    """`foretick up --only` started them, as the first step of a copy or of a restoration does."""
    there = servers.environment()
    settings = StreamSettings(kafka=there["FORETICK_KAFKA"], registry=there["FORETICK_REGISTRY"], topic_prefix="")
    found = AdminClient({"bootstrap.servers": settings.kafka}).list_topics(timeout=10).topics
    assert {name for topic in TOPICS for name in (topic.name, topic.dlq)} <= found.keys()
    assert all(Registry(settings).knows(topic) for topic in TOPICS)


def test_topics_as_they_are_made_are_fit(isolated):
    refuse_unfit(StreamSettings())


@pytest.mark.parametrize(
    ("name", "config", "told"),
    [
        ("stock-data", {"retention_ms": "604800000"}, "retention.ms is 604800000 (must be -1)"),
        ("forecast-scores", {"retention_ms": "-1", "retention_bytes": "1000000"}, "retention.bytes is 1000000"),
        ("stock-forecasts", {"retention_ms": "-1", "cleanup_policy": "compact"}, "cleanup.policy is compact"),
        (
            "drift-alarms",
            {"retention_ms": "-1", "cleanup_policy": "compact,delete"},
            "cleanup.policy is compact,delete",
        ),
        ("stock-data.dlq", {"retention_ms": "86400000"}, "retention.ms is 86400000"),
        (
            "model-promotions",
            {"retention_ms": "-1", "compression_type": "lz4"},
            "compression.type is lz4 (must be producer)",
        ),
    ],
)
def test_topic_that_would_lose_events_is_refused_with_the_command_that_mends_it(made, name, config, told):
    partitions = {topic.name: topic.partitions for topic in TOPICS}.get(name, 1)
    settings = made(name, partitions, **config)
    with pytest.raises(TopicsUnfit) as refused:
        refuse_unfit(settings)
    assert told in str(refused.value)
    assert f"{settings.physical(name)} does not keep its events" in str(refused.value)
    assert "foretick topics --mend" in str(refused.value)

    assert mend(settings) == [f"{settings.physical(name)} keeps all its events from now on"]
    refuse_unfit(settings)
    assert mend(settings) == []


def test_empty_topic_with_too_few_partitions_is_refused_and_given_the_others(made):
    settings = made("stock-data", 1, retention_ms="-1")
    with pytest.raises(TopicsUnfit, match=r"has 1 partitions, the table of topics says 6.*holds nothing yet.*--mend"):
        prepare_servers(settings)
    assert mend(settings) == [f"{settings.physical('stock-data')} has 6 partitions now, not 1"]
    refuse_unfit(settings)


@pytest.mark.parametrize("partitions", [3, 7])
def test_topic_with_events_in_another_number_of_partitions_needs_a_new_epoch(made, partitions):
    settings = made("stock-data", partitions, retention_ms="-1")
    produce(settings, STOCK_DATA, b"some event", sample(STOCK_DATA.event).symbol.encode())
    with pytest.raises(TopicsUnfit, match=f"has {partitions} partitions.*foretick new-epoch"):
        refuse_unfit(settings)
    assert mend(settings) == []
