"""The recent messages of each partition, kept in memory so that most clients resume without Kafka."""

from bisect import bisect_left

from gateway.stream.messages import Message


class Ring:
    """Hold everything of one partition from `floor` to `next`, the oldest going first.

    Offsets may have holes (records nobody can read); all that can be read between the two is here.
    """

    def __init__(self, start: int, *, messages: int = 4096, octets: int = 8 * 1024 * 1024) -> None:
        self.floor = start
        self.next = start
        self._limit = messages
        self._octets_limit = octets
        self._messages: list[Message] = []
        self._octets = 0
        self._first = 0  # index of the oldest one kept; the list is trimmed only now and then

    def __len__(self) -> int:
        return len(self._messages) - self._first

    def append(self, message: Message) -> bool:
        """Add the newest message; an offset already passed changes nothing and answers False."""
        if message.offset < self.next:
            return False
        self._messages.append(message)
        self._octets += len(message.body)
        self.next = message.offset + 1
        while len(self) > self._limit or (self._octets > self._octets_limit and len(self) > 1):
            oldest = self._messages[self._first]
            self._octets -= len(oldest.body)
            self.floor = oldest.offset + 1
            self._first += 1
        if self._first > self._limit:
            del self._messages[: self._first]
            self._first = 0
        return True

    def pass_over(self, offset: int) -> None:
        """Note that nothing readable is left before an offset."""
        self.next = max(self.next, offset)

    def since(self, offset: int, limit: int | None = None) -> list[Message]:
        """Give the messages at or after an offset, oldest first, at most `limit`.

        Raises ValueError below the floor: that part is only in Kafka.
        """
        if offset < self.floor:
            raise ValueError(f"offset {offset} is older than this ring, which begins at {self.floor}")
        begin = bisect_left(self._messages, offset, lo=self._first, key=lambda message: message.offset)
        end = None if limit is None else begin + limit
        return self._messages[begin:end]
