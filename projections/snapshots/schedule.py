"""Write a snapshot every so often, while the live read model goes on."""

import threading
import time
from pathlib import Path

import structlog

from projections.mongo import Store
from projections.snapshots.content import SnapshotManifest
from projections.snapshots.files import NotThere, newest_position, write_snapshot
from projections.snapshots.verification import untouched
from streaming.catching_up import ReadableLog
from streaming.errors import ServerAway

log = structlog.get_logger()

_SHARE = 10  # a snapshot that takes a second is followed by nine without


class PeriodicSnapshots:
    """Writes a snapshot when bars came in since the last one; a full disk or a server that is away only delays it."""

    def __init__(self, store: Store, log: ReadableLog, folder: Path, seconds: float) -> None:
        self.last: SnapshotManifest | None = None
        self.failure = ""
        self._store = store
        self._log = log
        self._folder = folder
        self._seconds = seconds

    def run(self, stop: threading.Event) -> None:
        """Write snapshots until `stop` is set."""
        pause = self._seconds
        while not stop.wait(pause):
            began = time.monotonic()
            self.write()
            pause = max(self._seconds, (_SHARE - 1) * (time.monotonic() - began))

    def write(self) -> None:
        """Write a snapshot, if there is anything new to write."""
        try:
            if self.last and self.last.position == newest_position(self._store):
                return
            self.last = write_snapshot(self._store, self._log, self._folder, stays=untouched)
        except (NotThere, ServerAway, OSError) as error:
            if not self.failure:
                log.warning("no snapshot", folder=str(self._folder), reason=str(error))
            self.failure = str(error)
            return
        self.failure = ""
        log.info("snapshot", folder=str(self._folder), rows=self.last.rows, files=len(self.last.files))
