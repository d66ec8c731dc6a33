"""A circuit breaker: a service that keeps failing is left alone for a while, then tried by one request."""

import time
from collections.abc import Callable
from math import ceil

CLOSED, OPEN, TRYING = "closed", "open", "trying"


class CircuitBreaker:
    """Count failures in a row; after `failures` of them refuse for `seconds`, then let one request try.

    Whoever was let in says how it went: `succeeded`, `failed`, or `left` if it did not find out.
    """

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.state = CLOSED
        self._most = failures
        self._seconds = seconds
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    def wait(self) -> int:
        """Return 0 if a request may go, else the seconds after which to ask again."""
        if self.state == CLOSED:
            return 0
        left = self._until - self._clock()
        if self.state == OPEN and left <= 0:
            self.state = TRYING
            return 0
        return max(1, ceil(left))

    def succeeded(self) -> None:
        """Note an answer: all is well."""
        self.state, self._failures = CLOSED, 0

    def failed(self) -> None:
        """Note that there was none."""
        self._failures += 1
        if self.state == TRYING or self._failures >= self._most:
            self.state, self._until = OPEN, self._clock() + self._seconds

    def left(self) -> None:
        """Note that the one who tried did not wait for the answer: the next one tries."""
        if self.state == TRYING:
            self.state, self._until = OPEN, self._clock()
