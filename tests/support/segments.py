"""The files in which a broker keeps a partition: where its batches lie, and how a disk changes them."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

HEAD = 61  # bytes of a batch before its records


def segment(data: Path, topic: str, partition: int) -> Path:
    """Return the only segment of a partition.

    Args:
        data: the folder of a stack's data.
        topic: with its prefix.
    """
    (found,) = (data / "kafka" / f"{topic}-{partition}").glob("*.log")
    return found


def batches(file: Path) -> list[tuple[int, int]]:
    """Return where each batch of a segment begins and ends."""
    bounds, data = [0], file.read_bytes()
    while bounds[-1] < len(data):
        bounds.append(bounds[-1] + 12 + struct.unpack_from(">i", data, bounds[-1] + 8)[0])
    return list(pairwise(bounds))


@contextmanager
def overwritten(file: Path, at: int, data: bytes) -> Iterator[None]:
    """Change bytes of a file below the broker's feet, and set them right again."""
    descriptor = os.open(file, os.O_RDWR)
    before = os.pread(descriptor, len(data), at)
    try:
        os.pwrite(descriptor, data, at)
        yield
    finally:
        os.pwrite(descriptor, before, at)
        os.close(descriptor)
