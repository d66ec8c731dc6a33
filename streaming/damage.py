"""Damage: whether what is read of the log is what was written, and none of it is left out.

Kafka's brokers check a batch's CRC when it is written, and never again; librdkafka does not when it reads (asked to, it
ends the process at the first that is wrong).  So a disk that turns a bit would make another event of an event.  Our
batches are packed with gzip, which has a checksum of its own: what does not unpack to what was packed is an error here.
A batch's head lies outside; what its damage does is seen from the offsets, which must come one after another.  The ends
of transactions take offsets, and what was taken back: there the sequence must go on, which the headers tell.
"""

from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, Message

from contracts.topics import TOPICS
from streaming.headers import sequence_of
from streaming.settings import StreamSettings

_APPENDED = {topic.name for topic in TOPICS if topic.appended}
STALL_SECONDS = 60.0  # for which a broker that answers may give nothing of what it says that it has
# What the client or the broker says of a batch that it cannot make out.
_UNREADABLE = {
    KafkaError._BAD_MSG,
    KafkaError._BAD_COMPRESSION,
    KafkaError._NOT_IMPLEMENTED,  # a magic byte or a compression that there is not
    KafkaError.INVALID_MSG,
    KafkaError.INVALID_RECORD,
}


class LogUnsound(Exception):
    """The log does not hold what was written to it; the text says where, and what to do."""


class Damaged(LogUnsound):
    """What is there is not what was written; the text says where, what was seen, and what to do.

    No dead letter is made of it: what was written was sound, and nobody can say any more what it was.
    """

    def __init__(self, topic: str | None, partition: int | None, offset: int | None, seen: str) -> None:
        super().__init__(
            f"the log is damaged at {topic}[{partition}]@{offset}: {seen}. Nothing is read beyond it. "
            "docs/how-to/back-up.md, A damaged log, tells how to go on"
        )


def refuse_unreadable(message: Message) -> None:
    """Raise Damaged if the client or the broker says, instead of a message, that there is none to be made out."""
    error = message.error()
    if error is not None and error.code() in _UNREADABLE:
        raise Damaged(
            message.topic(), message.partition(), message.offset(), f"nothing can be read there ({error.str()})"
        )


class LossWatch:
    """Watches over what is read of partitions, each in order.

    Args:
        positions: the next offset of each (topic, partition); one that is not named begins with what comes first.
        on_damage: told what is damaged, and that is passed over; None: it is raised.
    """

    def __init__(
        self,
        settings: StreamSettings,
        positions: Mapping[tuple[str, int], int],
        on_damage: Callable[[Damaged], None] | None = None,
    ) -> None:
        self._settings = settings
        self._on_damage = on_damage
        self._last: dict[tuple[str, int], Message] = {}
        self.next = dict(positions)

    def take(self, message: Message) -> bool:
        """Take in that a message has come; tell whether it did not come before.

        Raises:
            Damaged: what should be before it does not come.
        """
        place, offset = (str(message.topic()), int(message.partition() or 0)), int(message.offset() or 0)
        following = self.next.get(place, offset)
        if offset < following:
            return False
        if offset > following and not self._follows(place, message):
            self._tell_gap(place, offset)
        self.next[place], self._last[place] = offset + 1, message
        return True

    def reach(self, place: tuple[str, int], end: int) -> None:
        """Take in that nothing more comes before `end`.

        Raises:
            Damaged: something should.
        """
        if end > self.next.get(place, end) and not self._in_transactions(place):
            self._tell_gap(place, end)
        self.next[place] = max(end, self.next.get(place, end))

    def _follows(self, place: tuple[str, int], message: Message) -> bool:
        """Tell whether between a message and the last one no event is missing, as far as they say."""
        number, last = sequence_of(message.headers()), self._last.get(place)
        if number is None or last is None:
            return self._in_transactions(place)
        before = sequence_of(last.headers())
        return before is None or number == before + 1

    def _in_transactions(self, place: tuple[str, int]) -> bool:
        """Tell whether the last message was, so that what follows need not be one."""
        if self._settings.transactions:
            return True
        if last := self._last.get(place):
            return sequence_of(last.headers()) is not None
        return self._settings.logical(place[0]) in _APPENDED

    def _tell_gap(self, place: tuple[str, int], end: int) -> None:
        seen = (
            f"what follows is offset {end} (where other writers use transactions, which leave such gaps: "
            "FORETICK_TRANSACTIONS=true)"
        )
        self._tell(Damaged(*place, self.next[place], seen))

    def pass_over(self, message: Message) -> bool:
        """Go on after the next offset if the client or the broker tells that it cannot be read; tell whether it does.

        Raises:
            Damaged: it is not to be passed over.
        """
        try:
            refuse_unreadable(message)
        except Damaged as damage:
            self._tell(damage)
            self.next[str(message.topic()), int(message.partition() or 0)] += 1
            return True
        return False

    def _tell(self, damage: Damaged) -> None:
        if self._on_damage is None:
            raise damage
        self._on_damage(damage)


def stalled(topic: str, partition: int, offset: int) -> Damaged:
    """Return what is to be said of a partition that gives nothing though the broker has more of it, and answers."""
    return Damaged(
        topic,
        partition,
        offset,
        f"the broker has this and what follows, and answers, yet nothing came for {STALL_SECONDS:g} s",
    )
