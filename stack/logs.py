"""Show a service's log, and follow it over rotation."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_PERIOD = 0.3
_BLOCK = 64 * 1024


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a file, reading no more of it than needed."""
    with path.open("rb") as file:
        position, found = file.seek(0, 2), b""
        while position and found.count(b"\n") <= count:
            step = min(_BLOCK, position)
            position -= step
            file.seek(position)
            found = file.read(step) + found
    return found.decode(errors="replace").splitlines()[-count:] if count else []


def follow(path: Path) -> Iterator[str]:
    """Yield what is appended to a file, for ever; a file that was rotated away is left for its successor."""
    file = path.open("rb")
    file.seek(0, 2)
    while True:
        if chunk := file.read(_BLOCK):
            yield chunk.decode(errors="replace")
            continue
        if _replaced(path, file):
            file.close()
            file = path.open("rb")
            continue
        time.sleep(_PERIOD)


def _replaced(path: Path, file: BinaryIO) -> bool:
    try:
        now = path.stat()
    except FileNotFoundError:  # between two steps of a rotation
        return False
    return now.st_ino != os.fstat(file.fileno()).st_ino or now.st_size < file.tell()
