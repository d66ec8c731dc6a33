"""The recent messages of a partition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stream.ring import Ring
from tests.support.event_streams import made


def test_ring_asked_below_its_floor_refuses() -> None:
    ring = Ring(5)
    with pytest.raises(ValueError, match="older than this ring"):
        ring.since(4)


def test_ring_given_an_old_offset_again_stays_as_it_is() -> None:
    ring = Ring(5)
    assert ring.append(made(5))
    assert not ring.append(made(5))
    assert len(ring) == 1


def test_ring_over_its_octets_drops_the_oldest() -> None:
    ring = Ring(0, octets=len(made(0).body) * 2)
    for offset in range(3):
        ring.append(made(offset))
    assert ring.floor == 1
    assert len(ring) == 2


@given(st.integers(0, 20), st.integers(1, 8), st.lists(st.integers(1, 3), max_size=60))
def test_ring_always_holds_everything_between_its_floor_and_its_end(start: int, limit: int, steps: list[int]) -> None:
    ring = Ring(start, messages=limit)
    written, offset = [], start
    for step in steps:
        offset += step - 1  # offsets may have holes
        ring.append(made(offset))
        written.append(offset)
        offset += 1
        assert len(ring) <= limit
        for begin in range(ring.floor, ring.next + 1):
            assert [each.offset for each in ring.since(begin)] == [each for each in written if each >= begin]
    assert [each.offset for each in ring.since(ring.floor, 2)] == [each for each in written if each >= ring.floor][:2]
