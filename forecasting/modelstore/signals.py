"""SIGTERM, SIGHUP and Ctrl-C as an exception, so that what is open is closed: runs, folders, workers."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_GRACE = 10.0  # seconds in which more of them change nothing: `timeout` sends two


class Terminated(SystemExit):
    """The process was told to end; where nobody catches it, it does so with the shell's exit code of the signal."""


_heard: list[BaseException] = []  # what the last signal raised, until the process has ended of it


def is_terminating() -> bool:
    """Tell whether a signal has told this process to end.

    What the signal raised says so only where it arrives: raised while TensorFlow makes a tensor, it comes out as a
    TypeError of TensorFlow's or a SystemError of NumPy's, without a trace of what it was.
    """
    return bool(_heard)


@contextmanager
def terminated_by_signals() -> Iterator[None]:
    """Raise `Terminated` in the main thread when a signal ends the process; also a decorator of a command's `main`.

    However the block ends after that, it ends as told; by Ctrl-C, with a KeyboardInterrupt.  A signal that was ignored
    from the start (`nohup`) stays ignored.
    """
    first: list[float] = []

    def end(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if first and now - first[0] < _GRACE:
            return
        first[:] = [now]
        _heard[:] = [KeyboardInterrupt() if number == signal.SIGINT else Terminated(128 + number)]
        raise _heard[0]

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])
        if _heard:
            raise _heard.pop() from None
