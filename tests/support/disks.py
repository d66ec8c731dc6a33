"""Disks that are small enough to be filled."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.waiting import until


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[bool]:
    """Mount a tmpfs of a size such as `64m` while a `with` block runs; tell whether this process may do that."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ("mount", "-t", "tmpfs", "-o", f"size={size}", "foretick-test", str(folder))
    done = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield done
    finally:
        if done:
            subprocess.run(("umount", str(folder)), check=True)


def is_small(folder: Path) -> bool:
    """Tell whether a folder is a disk that `mounted` made."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return any(line.split()[1] == str(folder) and line.split()[2] == "tmpfs" for line in lines)


@contextmanager
def filled(folder: Path, spare: int = 0) -> Iterator[None]:
    """Fill a small disk up to `spare` bytes while a `with` block runs."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:

        def full() -> bool:
            """Take the room there is; whoever else writes meanwhile may have taken some of it first."""
            found = os.statvfs(folder)
            room = found.f_bavail * found.f_frsize - spare
            if room <= 0:
                return True
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), room)
            return False

        until(full, f"{folder} is full")
    try:
        yield
    finally:
        ballast.unlink()
