"""Whether topics are fit to be a log that is kept for ever, and the commands that mend those that are not."""

from collections.abc import Collection, Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types forget them
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewPartitions
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from contracts.topics import TOPICS
from streaming.errors import KafkaAway
from streaming.ranges import inquirer, watermarks
from streaming.settings import StreamSettings

KEEPING = {  # nothing is ever deleted, and no checksum is taken off
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "compression.type": "producer",
}
_TIMEOUT = 30.0


class TopicsUnfit(Exception):
    """Topics would lose events or the order of a key's events; the text says which, why, and what mends it."""


def partitions() -> dict[str, int]:
    """Return the number of partitions of every topic, without prefix."""
    return {topic.name: topic.partitions for topic in TOPICS} | {topic.dlq: 1 for topic in TOPICS}


def refuse_unfit(settings: StreamSettings) -> None:
    """Look at every topic that there is.

    Raises:
        TopicsUnfit: one does not keep all that is written to it, or has another number of partitions.
        KafkaAway: the broker does not answer.
    """
    found = _described(settings)
    faults = [fault for name, (count, config) in found.items() for fault in _faults(settings, name, count, config)]
    if faults:
        raise TopicsUnfit("\n".join(faults))


def mend(settings: StreamSettings) -> list[str]:
    """Set what makes topics keep everything, and give empty ones the partitions that they lack; return what was done.

    Raises:
        KafkaAway: the broker does not answer.
    """
    found = _described(settings)
    lossy = [name for name, (_, config) in found.items() if _lossy(config)]
    few = {name: count for name, (count, _) in found.items() if count < partitions()[name] and _empty(settings, name)}
    admin: AdminClient = inquirer(settings)
    sets = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in KEEPING.items()]
    kept = [
        ConfigResource(ConfigResource.Type.TOPIC, settings.physical(name), incremental_configs=sets) for name in lossy
    ]
    grown = [NewPartitions(settings.physical(name), partitions()[name]) for name in few]
    try:
        futures = [
            *(admin.incremental_alter_configs(kept).values() if kept else ()),
            *(admin.create_partitions(grown).values() if grown else ()),
        ]
        for future in futures:
            future.result(_TIMEOUT)
    except (KafkaException, TimeoutError) as error:
        raise KafkaAway(f"Kafka at {settings.kafka} does not set what topics keep: {error}") from error
    if lossy or few:
        _await_mended(settings, lossy, few)
    return [
        *(f"{settings.physical(name)} keeps all its events from now on" for name in lossy),
        *(f"{settings.physical(name)} has {partitions()[name]} partitions now, not {few[name]}" for name in few),
    ]


def _await_mended(settings: StreamSettings, kept: Collection[str], grown: Collection[str]) -> None:
    """Wait until the broker tells of what its controller has been told: a little later (KRaft)."""

    def mended() -> bool:
        found = _described(settings)
        return not any(_lossy(found[name][1]) for name in kept) and all(
            found[name][0] == partitions()[name] for name in grown
        )

    try:
        Retrying(retry=retry_if_result(lambda done: not done), wait=wait_fixed(0.05), stop=stop_after_delay(_TIMEOUT))(
            mended
        )
    except RetryError:
        raise KafkaAway(f"Kafka at {settings.kafka} has taken new settings of topics, and does not use them") from None


def _empty(settings: StreamSettings, name: str) -> bool:
    return not any(high for _, high in watermarks(settings, name).values())


def _described(settings: StreamSettings) -> dict[str, tuple[int, Mapping[str, str]]]:
    """Return each topic's number of partitions and its settings, as far as they are among KEEPING."""
    admin: AdminClient = inquirer(settings)
    try:
        there = admin.list_topics(timeout=_TIMEOUT).topics
        names = [name for name in partitions() if settings.physical(name) in there]
        if not names:  # Kafka's client refuses to ask about nothing
            return {}
        resources = {name: ConfigResource(ConfigResource.Type.TOPIC, settings.physical(name)) for name in names}
        answers = admin.describe_configs(list(resources.values()))
        told = {name: answers[resource].result(_TIMEOUT) for name, resource in resources.items()}
    except (KafkaException, TimeoutError) as error:
        raise KafkaAway(f"Kafka at {settings.kafka} does not describe its topics: {error}") from error
    return {
        name: (len(there[settings.physical(name)].partitions), {key: str(told[name][key].value) for key in KEEPING})
        for name in names
    }


def _lossy(config: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in config.items() if value != KEEPING[key]}


def _faults(settings: StreamSettings, name: str, count: int, config: Mapping[str, str]) -> list[str]:
    found = []
    physical = settings.physical(name)
    if lossy := _lossy(config):
        told = ", ".join(f"{key} is {value} (must be {KEEPING[key]})" for key, value in lossy.items())
        found.append(
            f"{physical} does not keep its events: {told}. Rebuilds and lineage need all of them. "
            "`foretick topics --mend` sets it right; what was deleted before stays deleted"
        )
    if count != (wanted := partitions()[name]):
        found.append(
            f"{physical} has {count} partitions, the table of topics says {wanted}: the order of a key's events is its "
            f"partition's. {_remedy(settings, name, count < wanted)}"
        )
    return found


def _remedy(settings: StreamSettings, name: str, too_few: bool) -> str:
    if too_few and _empty(settings, name):
        return "It holds nothing yet: `foretick topics --mend` gives it the others"
    return (
        "`foretick new-epoch e2-` copies all topics, in order, to new ones that are as the table says "
        "(docs/how-to/back-up.md, Grow partitions)"
    )
