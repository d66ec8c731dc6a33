"""Whole batches of a segment, and what a disk makes of them."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stack.run.backup.segments import SegmentUnsound, ended_transactions, segment_batches
from tests.support.brokers import batch

SIZES = (3, 1, 5)
WHOLE = b"".join(batch(base, size, bytes([size]) * 30) for base, size in zip((0, 3, 4), SIZES, strict=True))
EPOCH = range(12, 16)  # of the leader: outside the checksum, and of no meaning to records


def read(tmp_path: Path, data: bytes, start: int = 0, following: int = 0) -> tuple[bytes, int]:
    """Return what the whole batches hold, and the offset after them."""
    file = tmp_path / "segment"
    file.write_bytes(data)
    found = b""
    with file.open("rb") as opened:
        for each in segment_batches(opened, start, len(data), following):
            found, following = found + each.data, each.following
    return found, following


def test_whole_batches_are_read_to_the_offset_after_the_last(tmp_path):
    assert read(tmp_path, WHOLE) == (WHOLE, 9)
    start = len(batch(0, 3, b"x" * 30))
    assert read(tmp_path, WHOLE, start, 3) == (WHOLE[start:], 9)


@pytest.mark.parametrize("left", [0, 1, 11, 12, 60, 61, 90])
def test_batch_that_is_being_written_is_left_out(tmp_path, left):
    assert read(tmp_path, WHOLE + batch(9, 2)[:left]) == (WHOLE, 9)


@example(at=11, bit=0)
@given(at=st.integers(0, len(WHOLE) - 1), bit=st.integers(0, 7))
def test_no_bit_that_a_disk_turns_is_backed_up(tmp_path_factory, at, bit):
    starts = [0, len(batch(0, 3, b"x" * 30)), len(WHOLE) - len(batch(4, 5, b"x" * 30))]
    begin = max(start for start in starts if start <= at)
    if at - begin in EPOCH:
        return
    changed = bytearray(WHOLE)
    changed[at] ^= 1 << bit
    lengths = range(begin + 8, begin + 12)
    with suppress(SegmentUnsound) if at in lengths else pytest.raises(SegmentUnsound, match="byte"):
        found, _ = read(tmp_path_factory.mktemp("segment"), bytes(changed))
        # It leads beyond the end, as if the batch were still being written; the broker's end tells that apart.
        assert found == WHOLE[:begin]


def test_gap_between_batches_is_damage(tmp_path):
    with pytest.raises(SegmentUnsound, match="no batch of records begins"):
        read(tmp_path, batch(0, 3) + batch(4, 1))


def test_of_transactions_those_that_have_ended_are_kept_with_all_before_them(tmp_path):
    file = tmp_path / "segment"
    steps = [
        (batch(0, 2), 2),
        (batch(2, 3, producer=7), 2),
        (batch(5, 1), 2),  # of somebody else, in between
        (batch(6, 1, producer=8), 2),
        (batch(7, 1, producer=7, ends=True), 2),
        (batch(8, 1, producer=8, ends=True), 9),
        (batch(9, 1, producer=7), 9),
    ]
    for count, (_, reached) in enumerate(steps, start=1):
        file.write_bytes(b"".join(data for data, _ in steps[:count]))
        with file.open("rb") as opened:
            kept = list(ended_transactions(segment_batches(opened, 0, file.stat().st_size, 0)))
        assert kept[-1].following == reached, count
        assert file.read_bytes().startswith(b"".join(each.data for each in kept))
