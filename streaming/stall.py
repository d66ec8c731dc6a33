"""Partitions that stand still: the broker has more of them and answers, and nothing comes.

A damaged length is fetched over and over, and at some damage the client's thread runs in circles and answers nobody:
the broker is asked by another client.
"""

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException
from confluent_kafka import TopicPartition as Place

from streaming.damage import STALL_SECONDS, stalled
from streaming.ranges import NEXT, inquirer, offsets
from streaming.settings import StreamSettings

_SILENCE = 5.0  # seconds between two looks after which the time before the first does not count


class Stall:
    """How long partitions have given nothing though the broker has more of them, and answers."""

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._since: dict[tuple[str, int, int], float] = {}
        self._looked = 0.0

    def look(self, consumer: Consumer, positions: Mapping[tuple[str, int], int]) -> None:
        """Look at partitions when nothing that was fetched is left to be taken.

        Args:
            positions: the next offset of each (topic, partition) that is not paused.

        Raises:
            Damaged: one has stalled.
        """
        now = time.monotonic()
        if now - self._looked > _SILENCE:
            self._since = {}
        self._looked = now
        behind = {(*place, at) for place, at in positions.items() if _end_told(consumer, *place) > at}
        self._since = {each: self._since.get(each, now) for each in behind}
        for topic, partition, at in behind:
            if now - self._since[topic, partition, at] > STALL_SECONDS:
                if self._has(topic, partition, at):
                    raise stalled(topic, partition, at)
                self._since = {}  # it does not answer: it is away

    def _has(self, topic: str, partition: int, at: int) -> bool:
        place = topic, partition
        try:
            return offsets(inquirer(self._settings), [place], NEXT, 5.0)[place] > at
        except KafkaException:
            return False


def _end_told(consumer: Consumer, topic: str, partition: int) -> int:
    """Return where a partition ends, as the last fetch told; -1: unknown."""
    try:
        return int(consumer.get_watermark_offsets(Place(topic, partition), cached=True)[1])
    except KafkaException:
        return -1
