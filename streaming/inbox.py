"""Messages on their way from the log to a sink, so that none waits long behind another topic's backlog."""

from collections import deque
from collections.abc import Iterable, Mapping

from confluent_kafka import Message

from streaming.ranges import end_reached, partition_number
from streaming.records import Partition

BATCH_MESSAGES = 1000  # messages, at most
_SMALLEST = 10
_SECONDS = 1.0  # that a batch should take at most


class Inbox:
    """The messages of some topics that wait to be taken in, in order within each partition.

    Args:
        topics: by their names on the broker, without prefix.
    """

    def __init__(self, topics: Mapping[str | None, str]) -> None:
        self._topics = topics
        self._waiting: dict[str, deque[Message]] = {topic: deque() for topic in topics.values()}
        self._next: dict[Partition, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def place(self, positions: Mapping[Partition, int]) -> None:
        """Begin again at these offsets."""
        self._next = dict(positions)
        for waiting in self._waiting.values():
            waiting.clear()

    def add(self, messages: Iterable[Message]) -> None:
        """Take messages up, and ends that lie beyond the last one; what came before is passed over.

        So is what is of a partition that is not placed.
        """
        for message in messages:
            topic = self._topics[message.topic()]
            place, offset = (topic, partition_number(message.partition())), partition_number(message.offset())
            following = offset if end_reached(message) else offset + 1
            if place in self._next and following > self._next[place]:
                self._waiting[topic].append(message)
                self._next[place] = following

    def take(self, size: int) -> list[Message]:
        """Return up to `size` messages: each topic has an equal share, and what one leaves of it goes to the others."""
        taken: list[Message] = []
        by_length = sorted(self._waiting.values(), key=len)
        for at, waiting in enumerate(by_length):
            share = (size - len(taken)) // (len(by_length) - at)
            taken += [waiting.popleft() for _ in range(min(share, len(waiting)))]
        return taken

    def give_back(self, messages: Iterable[Message]) -> None:
        """Put messages that were taken before all that wait."""
        for message in reversed(list(messages)):
            self._waiting[self._topics[message.topic()]].appendleft(message)

    @property
    def has_room(self) -> bool:
        """Tell whether some topic has no whole batch waiting."""
        return any(len(waiting) < BATCH_MESSAGES for waiting in self._waiting.values())

    def held_back(self, ends: Mapping[Partition, int], held: Iterable[str]) -> set[str]:
        """Return the topics to fetch nothing of for now: what comes is theirs alone, or they have enough.

        Args:
            ends: where partitions end, as far as that is known.
            held: the topics held back so far.
        """
        behind = {place[0] for place, end in ends.items() if end > self._next.get(place, 0)}
        starving = {topic for topic in behind if topic in self._waiting and not self._waiting[topic]}
        return {
            topic
            for topic, waiting in self._waiting.items()
            if waiting and (starving or len(waiting) >= (BATCH_MESSAGES if topic in held else 2 * BATCH_MESSAGES))
        }


class Pace:
    """How many messages a batch has: fewer where it takes longer than a second, half of them after a time-out."""

    def __init__(self) -> None:
        self.size = BATCH_MESSAGES // 8  # nobody knows yet how quick the sink is

    def took(self, seconds: float) -> None:
        """Take in how long a batch took."""
        if seconds > _SECONDS:
            self.slower()
        elif seconds < _SECONDS / 3:
            self.size = min(BATCH_MESSAGES, 2 * self.size)

    def slower(self) -> None:
        """Halve the batches."""
        self.size = max(_SMALLEST, self.size // 2)
