"""The files in which a broker keeps a partition: whole batches of records, each with a CRC-32C.

A broker checks a batch's CRC when it takes the batch in, and never again.  Here it is checked whenever a batch is read.
Format: https://kafka.apache.org/documentation/#recordbatch.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from google_crc32c import value as crc32c

_HEAD = struct.Struct(">qiibIhi")  # to the last offset's delta; 34 bytes more are in the head
_BEFORE_LENGTH = 12  # bytes that a batch's length does not count
_LEAST = 61 - _BEFORE_LENGTH
_CHECKED_FROM = 21  # the CRC is of all that follows it
_PRODUCER, _PRODUCER_AT = struct.Struct(">q"), 43
_TRANSACTIONAL, _CONTROL = 0x10, 0x20  # attributes
_MAGIC = 2


class SegmentUnsound(Exception):
    """A segment does not hold what the broker wrote; the text says what was seen."""

    def __init__(self, offset: int, at: int, seen: str) -> None:
        super().__init__(f"{seen} (byte {at} of the segment)")
        self.offset, self.seen = offset, str(self)


@dataclass(frozen=True, slots=True)
class SegmentBatch:
    """Hold a batch's bytes, and the offset after its last record.

    Args:
        producer: in whose transaction it is.
        ends: whether it is the end of that.
    """

    data: bytes
    following: int
    producer: int | None = None
    ends: bool = False


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
        base, length, _, magic, crc, attributes, delta = _HEAD.unpack(head)
        if at + _BEFORE_LENGTH + length > end:
            return
        if base != following or length < _LEAST or magic != _MAGIC or delta < 0:
            raise SegmentUnsound(following, at, "no batch of records begins where one should")
        data = head + file.read(_BEFORE_LENGTH + length - len(head))
        if crc32c(data[_CHECKED_FROM:]) != crc:
            raise SegmentUnsound(base, at, "a batch does not have the checksum that was written with it")
        following = base + delta + 1
        (producer,) = _PRODUCER.unpack_from(data, _PRODUCER_AT)
        transactional, ends = bool(attributes & _TRANSACTIONAL), bool(attributes & _CONTROL)
        yield SegmentBatch(data, following, producer if transactional else None, ends)
        at += len(data)


def ended_transactions(batches: Iterable[SegmentBatch]) -> Iterator[SegmentBatch]:
    """Yield the batches up to where a transaction begins that has not ended: nobody has read beyond that.

    A broker that had the rest would wait for the transaction's end for ever.
    """
    held: list[SegmentBatch] = []
    under_way: set[int] = set()
    for batch in batches:
        held.append(batch)
        if batch.producer is not None:
            (under_way.discard if batch.ends else under_way.add)(batch.producer)
        if not under_way:
            yield from held
            held.clear()
