"""How many requests a vendor allows us, by the minute and by the day."""

import time
from collections import deque
from collections.abc import Callable

MINUTE = 60.0
DAY = 86_400.0


class Budget:
    """Counts requests in sliding windows; 0 means no limit.

    Libraries exist (pyrate-limiter, limits); forty lines with the clock as an argument weigh less than a dependency.
    The count is this process's own: after a restart the vendor's 429 speaks for what was spent before.
    """

    def __init__(self, per_minute: int = 0, per_day: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        limits = ((per_minute, MINUTE), (per_day, DAY))
        self._windows = [(limit, span, deque[float]()) for limit, span in limits if limit]
        self._now = now

    def take(self) -> float:
        """Spend one request and return 0, or return the seconds until one is free."""
        now = self._now()
        wait = 0.0
        for limit, span, spent in self._windows:
            while spent and spent[0] <= now - span:
                spent.popleft()
            if len(spent) >= limit:
                wait = max(wait, spent[0] + span - now)
        if not wait:
            for _, _, spent in self._windows:
                spent.append(now)
        return wait
