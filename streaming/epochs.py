"""Begin a new epoch: copy every topic, event by event, to topics of another prefix, which may have more partitions.

The order of a key's events is its partition's order, so partitions are never added to a topic that has events.  The
copy keeps bytes, keys, headers (but for numbers in a partition), stamps, and each key's order; it is proved by reading
it back.  The old topics stay.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from contracts.topics import TOPICS, Topic
from streaming.admin import await_kafka, ensure_topics, register_schemas
from streaming.codec import Codec, Poison
from streaming.damage import Damaged
from streaming.dead_letters import DeadLetters
from streaming.decoding import dead_for_good, to_record
from streaming.headers import SEQUENCE, raw_headers
from streaming.publisher import Publisher
from streaming.ranges import messages, watermarks
from streaming.settings import StreamSettings

EpochProgress = Callable[[str, int, int], None]  # topic, messages done, messages in all


class EpochRefused(Exception):
    """A new epoch cannot be begun; the text says why and what to do.  The old topics are as they were."""


@dataclass(frozen=True, slots=True)
class Skip:
    """What a copy leaves out: all that cannot be read (`dead`), all that is not what was written (`damaged`)."""

    dead: bool = False
    damaged: bool = False


NOTHING = Skip()


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of one topic: `left` counts messages that are dead letters for good, or were skipped.

    Args:
        damage: what is not what was written, and was left out.
    """

    topic: str
    events: int
    left: int
    damage: list[str]
    partitions: int


def begin_epoch(
    settings: StreamSettings,
    prefix: str,
    *,
    skip: Skip = NOTHING,
    progress: EpochProgress = lambda topic, done, total: None,
) -> list[Copied]:
    """Copy all topics to those of another prefix, made as the table of topics says now.

    Nobody may write meanwhile.  Dead letters are not copied: those that are settled are left out.

    Args:
        skip: what to leave out beside settled dead letters.

    Raises:
        EpochRefused: the new topics hold something, a message cannot be read, somebody writes, or the copy is not true.
        ServerAway, PublishFailed, LogUnsound: a server is away, or the log is not whole.
    """
    new = settings.model_copy(update={"topic_prefix": prefix})
    if prefix == settings.topic_prefix:
        raise EpochRefused(f"the topics have the prefix {prefix!r} already; take another one")
    await_kafka(new, timeout=10)
    ensure_topics(new)
    register_schemas(new)
    for topic in TOPICS:
        if any(high for _, high in watermarks(new, topic).values()):
            raise EpochRefused(f"{new.physical(topic.name)} holds messages already: take another prefix")
    before = {topic.name: watermarks(settings, topic) for topic in TOPICS}
    letters = DeadLetters(settings)
    done = []
    with Publisher(new, "/foretick/epochs") as publisher:
        for topic in TOPICS:
            done.append(_copy(settings, new, topic, before[topic.name], letters, publisher, skip, progress))
    for topic in TOPICS:
        if watermarks(settings, topic) != before[topic.name]:
            raise EpochRefused(
                f"{topic.name} was written to meanwhile: stop everything that writes, take another prefix"
            )
    return done


def _copy(
    settings: StreamSettings,
    new: StreamSettings,
    topic: Topic,
    marks: Mapping[int, tuple[int, int]],
    letters: DeadLetters,
    publisher: Publisher,
    skip: Skip,
    progress: EpochProgress,
) -> Copied:
    codec, settled = Codec(settings), letters.of(topic).settled
    chains: dict[bytes, bytes] = {}
    damaged: list[Damaged] = []
    events = left = 0
    total = sum(high for _, high in marks.values())
    ends = {place: high for place, (_, high) in marks.items()}
    for partition, offset, message in messages(
        settings, topic, {}, ends, on_damage=damaged.append if skip.damaged else None
    ):
        if dead_for_good(settled, topic.name, message):
            left += 1
            continue
        value = message.value()
        try:
            event = to_record(codec, topic.name, message).event
        except Poison as poison:
            if not skip.dead:
                raise EpochRefused(
                    f"{topic.name}[{partition}]@{offset} cannot be read: {poison}. Settle its dead letter "
                    "(foretick dlq), or leave out all such with --skip-dead"
                ) from poison
            left += 1
            continue
        key = event.key.encode()
        headers = [each for each in raw_headers(message.headers()) if each[0] != SEQUENCE]  # partitions are others
        publisher.forward(topic.name, value, key, headers, message.timestamp()[1])
        _link(chains, key, value)
        events += 1
        if events % 1000 == 0:
            progress(topic.name, events, total)
    publisher.flush()
    _prove(new, topic, chains, events)
    return Copied(topic.name, events, left, [str(each) for each in damaged], len(watermarks(new, topic)))


def _prove(new: StreamSettings, topic: Topic, chains: Mapping[bytes, bytes], events: int) -> None:
    """Read the copy back: the same events, and each key's in the same order."""
    ends = {place: high for place, (_, high) in watermarks(new, topic).items()}
    found: dict[bytes, bytes] = {}
    places: dict[bytes, int] = {}
    count = 0
    for partition, _, message in messages(new, topic, {}, ends):
        key = message.key()
        key = key.encode() if isinstance(key, str) else key or b""
        if places.setdefault(key, partition) != partition:
            raise EpochRefused(f"{new.physical(topic.name)}: {key!r} is in two partitions; somebody else writes there")
        _link(found, key, message.value())
        count += 1
    if found != chains or count != events:
        raise EpochRefused(
            f"{new.physical(topic.name)} is no true copy: {count} messages of {events}; take another prefix"
        )


def _link(chains: dict[bytes, bytes], key: bytes, value: bytes | None) -> None:
    chains[key] = sha256(chains.get(key, b"") + sha256(value or b"").digest()).digest()
