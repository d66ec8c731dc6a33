"""Topics that belong to one test."""

from collections.abc import Mapping

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from contracts.topics import TOPICS, Topic
from streaming.admin import ensure_topics
from streaming.settings import StreamSettings
from tests.support.waiting import PATIENCE, until


def clear_topics(settings: StreamSettings) -> None:
    """Remove a test's topics: the broker may be shared, and each partition costs it memory."""
    admin = AdminClient({"bootstrap.servers": settings.kafka})  # held: a client that is collected abandons its requests
    names = [settings.physical(name) for topic in TOPICS for name in (topic.name, topic.dlq)]
    for future in admin.delete_topics(names).values():
        future.exception(60)  # a test may have deleted one itself


def make_anew(settings: StreamSettings, topic: Topic) -> None:
    """Delete a topic and make it again, empty."""
    name = settings.physical(topic.name)
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    admin.delete_topics([name])[name].result(PATIENCE * 30)
    until(lambda: name not in admin.list_topics(timeout=5).topics, f"{name} is gone")
    until(lambda: name in ensure_topics(settings), f"{name} is made again")


def produce(
    settings: StreamSettings,
    topic: Topic,
    value: bytes | None,
    key: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    partition: int = -1,
) -> None:
    """Write bytes to a topic, as a foreign writer would."""
    producer = Producer({"bootstrap.servers": settings.kafka})
    producer.produce(settings.physical(topic.name), value, key, partition=partition, headers=dict(headers or {}))
    assert producer.flush(30) == 0
