"""One `foretick up` for a home: whoever holds the lock starts, cleans up and stops there; it ends with its process."""

import fcntl
import os
from pathlib import Path
from types import TracebackType


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
