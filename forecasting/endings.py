"""SIGTERM and SIGHUP as an exception, so that what is open is closed: runs, folders, workers."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_GRACE = 10.0  # seconds in which more of them change nothing: `timeout` sends two


class Told(SystemExit):
    """The process was told to end; where nobody catches it, it does so with the shell's exit code of the signal."""


def ending(error: BaseException | None) -> KeyboardInterrupt | Told | None:
    """Return what told the process to end, where an error is that or came of it.

    A signal that comes while NumPy calls back into Python leaves as a SystemError with the signal's exception as cause.
    """
    while error is not None and not isinstance(error, (KeyboardInterrupt, Told)):
        error = error.__cause__ or error.__context__
    return error


@contextmanager
def told_to_end() -> Iterator[None]:
    """Raise `Told` in the main thread when a signal tells the process to end; also a decorator of a command's `main`.

    A signal that was ignored from the start (`nohup`) stays ignored.
    """
    first: list[float] = []

    def end(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if first and now - first[0] < _GRACE:
            return
        first[:] = [now]
        raise Told(128 + number)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, end)
    try:
        yield
    except Exception as error:
        if told := ending(error):
            raise told from None
        raise
    finally:
        for number in heard:
            signal.signal(number, before[number])
