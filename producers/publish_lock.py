"""One writer at a time: the running producers, `foretick ingest` and Airflow's backfill share topics on a machine."""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK = 0.02  # seconds between two tries


class Stopped(Exception):
    """The process was told to stop while it waited: for a server, or for its turn."""


@contextmanager
def publish_lock(path: Path, stop: threading.Event) -> Iterator[None]:
    """Hold the lock from the look at the end of the log until what is not in it has been published.

    Kafka cannot append on a condition, so two writers that looked at the same time would publish the same bar: one
    event, there twice.  The lock is the kernel's, on a file: it ends with the process, however that dies.

    Args:
        path: the lock file, the same for all writers of a log.
        stop: ends the wait.

    Raises:
        Stopped: told to stop before the turn came.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if stop.wait(_LOOK):
                    raise Stopped from error
        yield
