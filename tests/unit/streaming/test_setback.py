"""A clock that is set back ends a process; one that is put right, or forward, does not."""

import pytest

from streaming.setback import SETBACK_SECONDS, watch_clock


@pytest.mark.parametrize("back", [SETBACK_SECONDS + 1, 3600.0])
def test_clock_set_back_ends_the_process(back):
    ended, clock = [], iter([100.0, 100.0, 105.0, 105.0 - back])
    watch_clock(ended.append, lambda: next(clock), 0).join(10)
    assert ended == [1]
    assert list(clock) == []


def test_clock_that_goes_forward_or_back_by_a_little_ends_nothing():
    told = [100.0, 4000.0, 4000.0 - SETBACK_SECONDS + 1, 4000.0 - 2 * (SETBACK_SECONDS - 1)]
    ended, clock = [], iter([*told, 0.0])
    watch_clock(ended.append, lambda: next(clock), 0).join(10)
    assert ended == [1]  # by the last one alone
    assert list(clock) == []
