"""Bring a client from where it stopped to the live stream: from memory if recent, else from Kafka, then live.

The seam needs no lock: memory is appended to, and clients join, on one event loop; a client joins in the same step
in which it is handed the last it was missing.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from gateway.stream.clients import Client
from gateway.stream.hub import Hub
from gateway.stream.messages import Gap, Message
from streaming.damage import LogUnsound
from streaming.errors import ServerAway

log = structlog.get_logger()


class EventLog(Protocol):
    """The log beyond memory's reach."""

    async def marks(self, topic: str) -> dict[int, tuple[int, int]]:
        """Give each partition's first offset and next offset; raises ServerAway."""
        ...

    def read(self, topic: str, start: Mapping[int, int], end: Mapping[int, int]) -> AsyncIterator[Sequence[Message]]:
        """Give the messages from `start` to `end` (exclusive), in order by partition; raises ServerAway, LogUnsound."""
        ...


@dataclass(frozen=True, slots=True)
class Resume:
    """Say where a client stopped: the last offset seen, by partition, and in which epoch if it knows."""

    positions: Mapping[int, int] = field(default_factory=dict)
    epoch: str = ""


def parse_resume(data: Mapping[str, Any], topic: str) -> Resume:
    """Read a client's resume message, as far as it speaks of this topic; raises ValueError saying what is wrong."""
    positions, epochs = data.get("positions", {}), data.get("epochs") or {}
    if not isinstance(positions, dict) or not isinstance(epochs, dict):
        raise ValueError('resume needs "positions": {topic: {partition: last offset seen}}')
    offsets = positions.get(topic, {})
    if not isinstance(offsets, dict):
        raise ValueError(f'"positions" of {topic} must be {{partition: last offset seen}}')
    epoch = epochs.get(topic, "")
    if not isinstance(epoch, str):
        raise ValueError(f'"epochs" of {topic} must be a string')
    parsed = {}
    for partition, offset in offsets.items():
        if not partition.isdecimal() or len(partition) > 9 or type(offset) is not int or not -1 <= offset < 2**62:
            raise ValueError(f"partition {partition!r} of {topic}: {offset!r} is no offset")
        parsed[int(partition)] = offset
    return Resume(parsed, epoch)


async def resume(client: Client, hub: Hub, source: EventLog, request: Resume, *, retry: float = 1.0) -> None:
    """Feed a client from its positions on until it has joined the live stream (or is closing).

    Partitions the request does not name begin live. What cannot be had is told as a gap. While the log is away
    it is asked again every `retry` seconds: heartbeats go on meanwhile.
    """
    topic = client.subscription.topic
    await hub.opened(topic)
    breaks, epoch = hub.breaks[topic], hub.epochs[topic]
    client.epoch = epoch
    if request.epoch and request.epoch != hub.epochs[topic]:
        _begin_anew(client, hub)
        return
    cursors = {partition: last + 1 for partition, last in request.positions.items()}
    checked = False
    while client.open:
        if hub.epochs[topic] != epoch:
            hub.greet(client)
            _begin_anew(client, hub)
            return
        if hub.breaks[topic] != breaks:  # memory begins elsewhere: the log is asked again
            breaks, checked = hub.breaks[topic], False
        rings = hub.rings(topic)
        inside = all(p in rings and rings[p].floor <= offset <= rings[p].next for p, offset in cursors.items())
        try:
            if not inside and not checked:
                _fit(client, cursors, hub, await source.marks(topic))
                checked = True
            elif hub.join(client, cursors):
                return
            elif older := {p: offset for p, offset in cursors.items() if offset < rings[p].floor}:
                await _from_log(client, source, cursors, older, {p: rings[p].floor for p in older})
            else:
                await _from_memory(client, hub, cursors)
        except LogUnsound:
            checked = False
        except ServerAway as error:
            log.warning("a client waits for the log", topic=topic, error=str(error))
            await asyncio.sleep(retry)


def _begin_anew(client: Client, hub: Hub) -> None:
    """Tell that what the client has seen may not stand in this topic any more, and go live."""
    topic = client.subscription.topic
    client.epoch = hub.epochs[topic]
    for partition, offset in hub.next_offsets(topic).items():
        client.miss(Gap(topic, partition, 0, offset - 1, "epoch"))
    hub.join(client)


def _fit(client: Client, cursors: dict[int, int], hub: Hub, marks: Mapping[int, tuple[int, int]]) -> None:
    """Move cursors to what the log has, telling the gaps."""
    topic = client.subscription.topic
    for partition, offset in list(cursors.items()):
        if partition not in marks or partition not in hub.rings(topic):
            client.miss(Gap(topic, partition, 0, offset - 1, "no such partition"))
            del cursors[partition]
            continue
        low, high = marks[partition]
        if offset < low:
            client.miss(Gap(topic, partition, offset, low - 1, "retention"))
            cursors[partition] = low
        elif offset > high:
            client.miss(Gap(topic, partition, high, offset - 1, "ahead of the log"))
            cursors[partition] = hub.rings(topic)[partition].next


async def _from_log(
    client: Client, source: EventLog, cursors: dict[int, int], start: Mapping[int, int], end: Mapping[int, int]
) -> None:
    async for messages in source.read(client.subscription.topic, start, end):
        await _hand(client, cursors, messages)
        if not client.open:
            return
    cursors.update(end)  # the last ones may have been unreadable


async def _from_memory(client: Client, hub: Hub, cursors: dict[int, int]) -> None:
    """Hand over a part of one partition: the caller looks again before the next, for rings move while we wait."""
    rings = hub.rings(client.subscription.topic)
    partition = next(p for p, offset in cursors.items() if offset < rings[p].next)
    messages = rings[partition].since(cursors[partition], max(1, client.limit // 2))
    if not messages:
        cursors[partition] = rings[partition].next
    await _hand(client, cursors, messages)


async def _hand(client: Client, cursors: dict[int, int], messages: Sequence[Message]) -> None:
    """Queue messages as room comes, never so many that the queue would be conflated."""
    step = max(1, client.limit // 2)
    for first in range(0, len(messages), step):
        part = messages[first : first + step]
        wanted = [message for message in part if client.subscription.wants(message)]
        await client.room(len(wanted))
        if not client.open:
            return
        client.offer(wanted)
        for message in part:
            cursors[message.partition] = message.offset + 1
