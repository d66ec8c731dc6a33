"""Prepare the servers: topics as in the table, schemas registered on purpose with their level."""

import time

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from contracts.topics import TOPICS
from contracts.versions import versions
from streaming.away import ServerAway
from streaming.registry import Registry, RegistryAway
from streaming.settings import StreamSettings

log = structlog.get_logger()

FOREVER = "-1"


class NotReady(ServerAway):
    """A server did not answer in time; the text says which and where."""


def await_kafka(settings: StreamSettings, timeout: float = 60.0) -> None:
    """Wait until a broker answers.

    Raises:
        NotReady: none did.
    """
    admin = AdminClient(settings.kafka_config())
    deadline = time.monotonic() + timeout
    while True:
        try:
            admin.list_topics(timeout=5)
            return
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise NotReady(f"no Kafka broker answers at {settings.kafka}: {error.args[0].str()}") from error
            log.info("waiting for Kafka", at=settings.kafka)
            time.sleep(0.5)  # librdkafka answers at once while a port is refused


def await_registry(settings: StreamSettings, timeout: float = 60.0) -> None:
    """Wait until the schema registry answers.

    Raises:
        NotReady: it did not.
    """
    registry = Registry(settings)
    deadline = time.monotonic() + timeout
    while True:
        try:
            registry.versions(TOPICS[0])
            return
        except RegistryAway as error:
            if time.monotonic() > deadline:
                raise NotReady(str(error)) from error
            log.info("waiting for the registry", at=settings.registry)
            time.sleep(0.5)


def ensure_topics(settings: StreamSettings) -> list[str]:
    """Create the topics of the table and their dead-letter topics; return those that are new.

    Raises:
        NotReady: no broker answers.
    """
    admin = AdminClient(settings.kafka_config())
    config = {
        "cleanup.policy": "delete",
        "retention.ms": FOREVER,
        "retention.bytes": FOREVER,
        "min.insync.replicas": str(settings.min_insync_replicas),
    }
    wanted = {topic.name: topic.partitions for topic in TOPICS} | {topic.dlq: 1 for topic in TOPICS}
    news = [
        NewTopic(settings.physical(name), count, settings.replication, config=config) for name, count in wanted.items()
    ]
    created = []
    for name, future in admin.create_topics(news).items():
        try:
            future.result(30)
            created.append(name)
        except TimeoutError as error:
            raise NotReady(f"no Kafka broker answers at {settings.kafka}") from error
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return created


def register_schemas(settings: StreamSettings) -> dict[str, int]:
    """Register every version of every event's schema, oldest first; return the newest ids by subject.

    Raises:
        SchemaRefused: the registry finds one incompatible.
        RegistryAway: it does not answer.
    """
    registry = Registry(settings)
    ids = {}
    for topic in TOPICS:
        for version in versions(topic.event):
            ids[registry.subject(topic)] = registry.register(topic, version)
    return ids


def prepare(settings: StreamSettings, timeout: float = 60.0) -> None:
    """Wait for both servers, then make topics and register schemas: safe to call any number of times."""
    await_kafka(settings, timeout)
    await_registry(settings, timeout)
    ensure_topics(settings)
    register_schemas(settings)
