"""Files that others change while a service runs: looked at now and then, read again when they differ."""

import time
from collections.abc import Callable
from pathlib import Path

_LOOK = 1.0  # seconds between two looks


class WatchedFiles:
    """Tell when one of some files has changed."""

    def __init__(self, *files: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._files = [file for file in files if file]
        self._clock = clock
        self._looked = clock()
        self._seen = self._look()

    def changed(self) -> bool:
        """Tell it once for each change, a second late at most."""
        now = self._clock()
        if not self._files or now - self._looked < _LOOK:
            return False
        self._looked, before = now, self._seen
        self._seen = self._look()
        return self._seen != before

    def _look(self) -> list[tuple[int, ...]]:
        """Return what differs once a file was written; nothing of one that is away."""
        seen: list[tuple[int, ...]] = []
        for file in self._files:
            try:
                found = file.stat()
            except OSError:
                seen.append(())
            else:
                seen.append((found.st_mtime_ns, found.st_size, found.st_ino))
        return seen
