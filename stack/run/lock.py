"""One `foretick up` for a home: whoever holds the lock starts, cleans up and stops there; it ends with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from stack.layout import Layout
from stack.run.preflight import NotStartable
from stack.services.supervisor import Supervisor, is_ours


class Lock:
    """A lock on a home, in a file that names its holder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> "Lock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def taken(self) -> bool:
        """Take the lock, unless another process has it; tell whether it is ours."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return True

    def holder(self) -> str:
        """Return the process that has it."""
        return self._path.read_text().strip() or "that has just begun"


@contextmanager
def home_taken(layout: Layout) -> Iterator[None]:
    """Have a home, in which nothing may run, to oneself.

    Raises:
        NotStartable: something runs there, or another command is at work on it.
    """
    make_folders(layout)
    with Lock(layout.run / "up.lock") as lock:
        if not lock.taken():
            raise NotStartable(at_work(layout, lock))
        if Supervisor(layout).alive():
            raise NotStartable(f"Foretick runs from {layout.home}. Stop it first: foretick down")
        yield


def at_work(layout: Layout, lock: Lock) -> str:
    """Say that another command has a home's lock."""
    return (
        f"Another `foretick` (process {lock.holder()}) is at work on {layout.home}. "
        "Wait until it is done, or stop it there by Ctrl-C."
    )


def make_folders(layout: Layout) -> None:
    """Make the folders, our own and nobody else's: one under /tmp, of a name that can be guessed, may be there already.

    Raises:
        NotStartable: a folder is another user's, or a link.
    """
    layout.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    layout.cache.mkdir(parents=True, exist_ok=True)
    for folder in layout.private():
        folder.mkdir(exist_ok=True, mode=0o700)
        apart = not folder.is_relative_to(layout.home)
        if not is_ours(folder if apart else folder.resolve()):  # a link within the home is its owner's own
            raise NotStartable(f"{folder} is another user's, or a link. Remove it, or name another FORETICK_HOME.")
        folder.chmod(0o700)
