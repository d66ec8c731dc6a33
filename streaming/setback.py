"""A wall clock that is set back: Kafka's client waits until a time by that clock.

A wait that is in progress then lasts longer by as much as the clock was set back, in threads that nobody here reaches:
publishing and reading stand still.  A process that begins again waits by the new time.
"""

import os
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger()

SETBACK_SECONDS = 10.0  # seconds by which waits may last longer
_PERIOD = 1.0


def watch_clock(
    end: Callable[[int], object] = os._exit,
    ahead: Callable[[], float] = lambda: time.time() - time.monotonic(),
    period: float = _PERIOD,
) -> threading.Thread:
    """Watch the clock in a thread, and end the process when it is set back: its supervisor starts it again.

    It ends as if it were killed, for whatever waits would hold up its end; nothing is lost by that.

    Args:
        end: ends the process, with an exit code.
        ahead: seconds of the wall clock before one that nobody sets.
        period: seconds from one look to the next.
    """

    def watch() -> None:
        before = ahead()
        while (now := ahead()) >= before - SETBACK_SECONDS:
            before = now
            time.sleep(period)
        log.error("the clock was set back; this process ends, to begin again by the new time", seconds=before - now)
        end(1)

    thread = threading.Thread(target=watch, name="clock", daemon=True)
    thread.start()
    return thread
