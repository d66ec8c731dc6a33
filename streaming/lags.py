"""How far a reader is behind its log, in messages and in seconds."""

import time
from collections import deque
from dataclasses import dataclass, field

from streaming.records import Partition

_GRAIN = 1.0  # seconds: ends seen within it count as one arrival
_KEPT = 3600  # arrivals remembered for each partition


class Arrivals:
    """When the end of a partition was seen to move: so how long the oldest unread message has been waiting.

    It goes by when this process saw messages arrive, not by their stamps, which may be market time of years ago.
    Messages that were there before count from the first look; the answer is exact to about a second.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()  # (when, next offset of the log then), both rising

    def note(self, end: int, now: float) -> None:
        """Take in where the log ends now."""
        if not self._seen or end > self._seen[-1][1]:
            if self._seen and (now - self._seen[-1][0] < _GRAIN or len(self._seen) == _KEPT):
                now = self._seen.pop()[0]
            self._seen.append((now, end))

    def waiting(self, position: int, now: float) -> float:
        """Return the seconds that the message at `position` has been there unread; 0 at the end of the log."""
        while len(self._seen) > 1 and self._seen[0][1] <= position:
            self._seen.popleft()
        if not self._seen or self._seen[0][1] <= position:
            return 0.0
        return max(0.0, now - self._seen[0][0])


@dataclass
class LoopState:
    """What a loop is doing, for status pages; written by the loop's thread only.

    Args:
        behind: seconds that the oldest unread message of a partition has been waiting, as of `noted_at`; of those that
            have one.
        noted_at: by the monotonic clock.
        leaving: its work is done; what is left is to tell the broker that it leaves the group.
    """

    positions: dict[Partition, int] = field(default_factory=dict)
    ends: dict[Partition, int] = field(default_factory=dict)
    behind: dict[Partition, float] = field(default_factory=dict)
    noted_at: float = 0.0
    waiting_for: str = ""
    leaving: bool = False
    read: int = 0
    dead: int = 0
    advanced_at: float = field(default_factory=time.time)
    _arrivals: dict[Partition, Arrivals] = field(default_factory=dict, repr=False)

    @property
    def lag(self) -> int:
        """Return how many messages are known and not yet applied."""
        return sum(max(0, end - self.positions.get(place, 0)) for place, end in list(self.ends.items()))

    @property
    def caught_up(self) -> bool:
        """Tell whether all is applied that every assigned partition held when it was looked at last."""
        return bool(self.positions) and self.positions.keys() <= self.ends.keys() and self.lag == 0

    def place(self, positions: dict[Partition, int]) -> None:
        """Begin with new partitions."""
        self.positions = positions
        self._arrivals = {place: self._arrivals.get(place, Arrivals()) for place in positions}
        self.ends = {place: end for place, end in self.ends.items() if place in positions}
        self.behind = {}

    def note_end(self, place: Partition, end: int, now: float) -> None:
        """Take in where a partition ends now; `now` by the monotonic clock."""
        if place not in self._arrivals:
            return
        self.ends[place] = end
        self._arrivals[place].note(end, now)
        if end > self.positions[place]:
            self.behind[place] = self._arrivals[place].waiting(self.positions[place], now)
        else:
            self.behind.pop(place, None)
        self.noted_at = now

    def seconds_behind(self, place: Partition, now: float) -> float:
        """Return how long the oldest unread message has been waiting; `now` by the monotonic clock."""
        behind = self.behind.get(place)
        return 0.0 if behind is None else behind + max(0.0, now - self.noted_at)
