"""Threads of one service: when one ends by an error, all end, and loudly."""

import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger()


class Threads:
    """Run work side by side until `stop` is set.

    Attributes:
        failed: what ended by an error, in words.
    """

    def __init__(self, stop: threading.Event) -> None:
        self.failed: list[str] = []
        self._stop = stop
        self._threads: list[threading.Thread] = []

    def start(self, name: str, work: Callable[[threading.Event], None]) -> None:
        """Run work in a thread; an error that it ends by sets `stop`, so that nothing stands still unseen."""
        thread = threading.Thread(target=self._guard, args=(name, work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def join(self, seconds: float) -> list[str]:
        """Wait until `stop` is set, then for all threads together; return the names of those that did not end."""
        self._stop.wait()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [thread.name for thread in self._threads if thread.is_alive()]

    def end(self, seconds: float) -> int:
        """Wait likewise, and return the process's exit code."""
        if late := self.join(seconds):
            log.error("did not end in time", threads=late)
        return 1 if self.failed or late else 0

    def _guard(self, name: str, work: Callable[[threading.Event], None]) -> None:
        try:
            work(self._stop)
        except Exception as error:
            notes = "; ".join(getattr(error, "__notes__", []))
            self.failed.append(f"{name}: {type(error).__name__}: {error} {notes}".strip())
            log.exception("stopping: a part failed", part=name, notes=notes)
            self._stop.set()
