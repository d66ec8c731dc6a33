"""What strangers do is told in the log, but they cannot fill it."""

import time
from collections.abc import Callable

import structlog
from starlette.types import Scope

log = structlog.get_logger()

LINES = 20  # a second


class Journal:
    """Log what a stranger can cause, so many lines a second at most; the next line counts those left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._lines = 0  # in that second
        self._untold = 0

    def refused(self, kind: str, scope: Scope) -> None:
        """Write of what, whose and why a request or a socket was refused; what its caller showed stays out of it."""
        caller = getattr(scope.get("state", {}).get("caller"), "name", "")
        self.tell("refused", kind=kind, path=scope["path"], address=(scope.get("client") or ("",))[0], caller=caller)

    def tell(self, event: str, **fields: object) -> None:
        """Write a line; long texts are cut."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        if self._lines == LINES:
            self._untold += 1
            return
        self._lines += 1
        if self._untold:
            fields["untold"] = self._untold
            self._untold = 0
        log.info(event, **{name: each[:200] if isinstance(each, str) else each for name, each in fields.items()})
