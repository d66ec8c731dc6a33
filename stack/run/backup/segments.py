"""The files in which a broker keeps a partition: whole batches of records, each with a CRC-32C.

A broker checks a batch's CRC when it takes the batch in, and never again.  Here it is checked whenever a batch is read.
Format: https://kafka.apache.org/documentation/#recordbatch.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from google_crc32c import value as crc32c

_HEAD = struct.Struct(">qiibIhi")  # to the last offset's delta; 34 bytes more are in the head
_BEFORE_LENGTH = 12  # bytes that a batch's length does not count
_LEAST = 61 - _BEFORE_LENGTH
_CHECKED_FROM = 21  # the CRC is of all that follows it
_MAGIC = 2


class SegmentUnsound(Exception):
    """A segment does not hold what the broker wrote; the text says what was seen."""

    def __init__(self, offset: int, at: int, seen: str) -> None:
        super().__init__(f"{seen} (byte {at} of the segment)")
        self.offset, self.seen = offset, str(self)


@dataclass(frozen=True, slots=True)
class SegmentBatch:
    """Hold a batch's bytes, and the offset after its last record."""

    data: bytes
    following: int


def segment_batches(file: BinaryIO, start: int, end: int, following: int) -> Iterator[SegmentBatch]:
    """Yield each batch that lies wholly between two bytes of a segment.

    What is left over at the end is a batch that the broker is writing, or did not finish.

    Args:
        following: offset of the first record; offsets have no gaps where nothing is compacted.

    Raises:
        SegmentUnsound: a batch is not what the broker wrote.
    """
    file.seek(start)
    at = start
    while at + _BEFORE_LENGTH + _LEAST <= end:
        head = file.read(_HEAD.size)
        base, length, _, magic, crc, _, delta = _HEAD.unpack(head)
        if at + _BEFORE_LENGTH + length > end:
            return
        if base != following or length < _LEAST or magic != _MAGIC or delta < 0:
            raise SegmentUnsound(following, at, "no batch of records begins where one should")
        data = head + file.read(_BEFORE_LENGTH + length - len(head))
        if crc32c(data[_CHECKED_FROM:]) != crc:
            raise SegmentUnsound(base, at, "a batch does not have the checksum that was written with it")
        following = base + delta + 1
        yield SegmentBatch(data, following)
        at += len(data)
