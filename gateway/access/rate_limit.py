"""How often a caller may ask: a bucket of requests for each, filled again evenly (pure; the clock is an argument)."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from math import ceil

MOST_CALLERS = 10_000


class RateLimit:
    """Allow each caller so many requests a minute, all at once if it has been quiet; 0: no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = per_minute
        self._clock = clock
        # (requests left, when), least recent first
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def spend(self, caller: Hashable) -> int:
        """Take a request off the caller's budget; return 0, or the seconds to wait if nothing is left."""
        if not self._size:
            return 0
        now = self._clock()
        left, then = self._left.pop(caller, (float(self._size), now))
        left = min(self._size, left + (now - then) * self._size / 60)
        wait = 0 if left >= 1 else max(1, ceil((1 - left) * 60 / self._size))
        self._left[caller] = (left if wait else left - 1, now)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return wait
