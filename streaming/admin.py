"""Prepare the servers: topics as in the table, schemas registered on purpose with their level."""

import threading
import time
from collections.abc import Callable, Iterable

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from contracts.topics import TOPICS, Topic
from streaming.errors import KafkaAway, RegistryAway
from streaming.fitness import KEEPING, partitions, refuse_unfit
from streaming.ranges import inquirer, watermarks
from streaming.registry import Registry, SchemaLost
from streaming.restoring import Lost, forgotten_topics, register_all, restore_registry
from streaming.settings import StreamSettings

log = structlog.get_logger()

_LISTED_SECONDS = 30.0


def await_kafka(settings: StreamSettings, timeout: float = 60.0) -> None:
    """Wait until a broker answers.

    Raises:
        KafkaAway: none did.
    """
    admin = AdminClient(settings.kafka_config())
    deadline = time.monotonic() + timeout
    while True:
        try:
            admin.list_topics(timeout=5)
            return
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise KafkaAway(f"no Kafka broker answers at {settings.kafka}: {error.args[0].str()}") from error
            log.info("waiting for Kafka", at=settings.kafka)
            time.sleep(0.5)  # librdkafka answers at once while a port is refused


def await_topics(
    settings: StreamSettings, topics: Iterable[Topic], stop: threading.Event, tell: Callable[[str], None]
) -> None:
    """Wait for the broker and the topics, telling why: a consumer that subscribes too early looks again much later."""
    told = ""
    while not stop.is_set():
        try:
            await_kafka(settings, timeout=5)
            for topic in topics:
                watermarks(settings, topic)
        except KafkaAway as error:
            if str(error) != told:
                log.info("waiting for the topics", reason=str(error))
            told = str(error)
            tell(told)
            stop.wait(0.5)
        else:
            tell("")
            return


def await_registry(settings: StreamSettings, timeout: float = 60.0) -> None:
    """Wait until the schema registry answers.

    Raises:
        RegistryAway: it did not.
    """
    registry = Registry(settings)
    deadline = time.monotonic() + timeout
    while True:
        try:
            registry.versions(TOPICS[0])
            return
        except RegistryAway:
            if time.monotonic() > deadline:
                raise
            log.info("waiting for the registry", at=settings.registry)
            time.sleep(0.5)


def ensure_topics(settings: StreamSettings) -> list[str]:
    """Create the topics of the table and their dead-letter topics until they are listed; return those that are new.

    Raises:
        KafkaAway: no broker answers.
    """
    admin = AdminClient(settings.kafka_config())
    config = {**KEEPING, "min.insync.replicas": str(settings.min_insync_replicas)}
    news = [
        NewTopic(settings.physical(name), count, settings.replication, config=config)
        for name, count in partitions().items()
    ]
    created = []
    for name, future in admin.create_topics(news).items():
        try:
            future.result(30)
            created.append(name)
        except TimeoutError as error:
            raise KafkaAway(f"no Kafka broker answers at {settings.kafka}") from error
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    _await_listed(settings)
    return created


def _await_listed(settings: StreamSettings) -> None:
    """Wait until the broker lists the topics: those that its controller has just made, a little later (KRaft)."""
    admin: AdminClient = inquirer(settings)
    wanted = {settings.physical(name) for name in partitions()}

    def listed() -> bool:
        topics = admin.list_topics(timeout=_LISTED_SECONDS).topics
        return all(name in topics and topics[name].partitions for name in wanted)

    waiting = Retrying(
        retry=retry_if_result(lambda done: not done), wait=wait_fixed(0.05), stop=stop_after_delay(_LISTED_SECONDS)
    )
    try:
        waiting(listed)
    except (RetryError, KafkaException) as error:
        raise KafkaAway(f"Kafka at {settings.kafka} has made topics, and does not list them") from error


def register_schemas(settings: StreamSettings) -> dict[str, int]:
    """Register every version of every event's schema, oldest first; return the newest ids by subject.

    Raises:
        SchemaRefused: the registry finds one incompatible.
        SchemaLost: it holds nothing of a topic that has messages: other ids would be given than those have.
        RegistryAway: it does not answer.
    """
    if forgotten := forgotten_topics(settings):
        raise SchemaLost(
            f"the registry at {settings.registry} has no schema of {', '.join(forgotten)}, which hold messages: it has "
            "lost its storage, or it is another one. `foretick contracts restore` gives it the ids that the log uses"
        )
    return register_all(settings)


def prepare_servers(settings: StreamSettings, timeout: float = 60.0) -> list[Lost]:
    """Wait for both servers, then make topics and register schemas: safe to call any number of times.

    Returns:
        The schemas that the registry had lost and was given back.

    Raises:
        TopicsUnfit: a topic that is there would lose events or their order.
        RestoreRefused: the registry has lost its schemas and cannot be given them back.
    """
    await_kafka(settings, timeout)
    await_registry(settings, timeout)
    ensure_topics(settings)
    refuse_unfit(settings)
    if forgotten_topics(settings):
        return restore_registry(settings)
    register_all(settings)
    return []
