"""Wait for something to come true.

A deadline finds what hangs; it is no measurement.  Machines are slow and shared, so deadlines are far longer than a
calm machine needs; a test that claims a time measures it by itself.
"""

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 4  # times what a calm machine was seen to need, with room


def until(condition: Callable[[], Any], what: str = "it came true", seconds: float = 60.0, period: float = 0.05) -> Any:
    """Poll until a condition holds, and return what it gave.

    Args:
        seconds: on a calm machine; `PATIENCE` times that is waited.
    """
    deadline = time.monotonic() + PATIENCE * seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE * seconds:.0f} s in vain until {what}"
        time.sleep(period)
    return found
