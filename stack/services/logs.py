"""Show a service's log, and follow it over rotation."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

_PERIOD = 0.3
_BLOCK = 64 * 1024
_NEWEST = 100  # lines


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a file, reading no more of it than needed; none of one that is not there."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return []
    with file:
        position, found = file.seek(0, 2), b""
        while position and found.count(b"\n") <= count:
            step = min(_BLOCK, position)
            position -= step
            file.seek(position)
            found = file.read(step) + found
    return found.decode(errors="replace").splitlines()[-count:] if count else []


def last_error(path: Path) -> str:
    """Return the last error among the newest lines of a service's log, with its time; empty: there is none."""
    for line in reversed(last_lines(path, _NEWEST)):
        try:
            told = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(told, dict) and told.get("level") in ("error", "critical"):
            cause = str(told.get("exception", "")).strip().rpartition("\n")[2]
            parts = (told.get("event"), told.get("error") or cause)
            return f"{': '.join(str(part) for part in parts if part)} (at {told.get('timestamp')})"
    return ""


def follow_log(path: Path) -> Iterator[str]:
    """Yield what is appended to a file, for ever; a file that was rotated away is left for its successor."""
    file: BinaryIO = path.open("rb")
    file.seek(0, 2)
    while True:
        if chunk := file.read(_BLOCK):
            yield chunk.decode(errors="replace")
            continue
        if successor := _successor(path, file):
            file.close()
            file = successor
            continue
        time.sleep(_PERIOD)


def _successor(path: Path, file: BinaryIO) -> BinaryIO | None:
    """Open what has taken a file's place, if anything has."""
    try:
        found = path.open("rb")
    except FileNotFoundError:  # between two steps of a rotation
        return None
    now = os.fstat(found.fileno())
    if now.st_ino != os.fstat(file.fileno()).st_ino or now.st_size < file.tell():
        return found
    found.close()
    return None
