"""What is remembered of the log is the same in whatever order it came."""

from itertools import permutations

import pytest

from contracts.parts import OffsetRange
from forecasting.data.recent_bars import LogEvent, RecentBars, SplitHistory, offset_ranges
from tests.support.markets import bar, split


def at(offset, event, topic="stock-data", partition=0):
    return LogEvent(event, topic, partition, offset, schema_id=3)


def test_tape_takes_the_highest_revision_in_any_order():
    events = [at(0, bar(day=1)), at(1, bar(day=2)), at(2, bar(day=1, close=11.0, revision=1))]
    for order in permutations(events):
        recent = RecentBars(keep=10)
        for event in order:
            recent.fold(event)
        assert [item.event.close for item in recent.last(5)] == [11.0, 10.0]


def test_tape_tells_the_newest_bar_and_its_correction_from_all_else():
    recent = RecentBars(keep=10)
    assert recent.fold(at(0, bar(day=1)))
    assert recent.fold(at(1, bar(day=2)))
    assert not recent.fold(at(1, bar(day=2))), "read again"
    assert not recent.fold(at(2, bar(day=0))), "older"
    assert not recent.fold(at(3, bar(day=1, revision=1))), "a correction of an older one"
    assert recent.fold(at(4, bar(day=2, revision=1)))
    assert recent.newest.offset == 4


def test_tape_keeps_at_least_so_many_bars_and_passes_over_what_is_older():
    recent = RecentBars(keep=3)
    for day in range(1, 9):
        recent.fold(at(day, bar(day=day)))
    assert 3 <= len(recent) <= 6
    before = recent.last(100)
    assert not recent.fold(at(99, bar(day=0)))
    assert recent.last(100) == before


def test_jump_of_a_halved_price_is_that_of_a_split():
    recent = RecentBars(keep=3)
    recent.fold(at(0, bar(day=1, close=10.0)))
    assert recent.jump() == 0.0
    recent.fold(at(1, bar(day=2, close=5.0)))
    assert recent.jump() == pytest.approx(0.693, abs=1e-3)


def test_splits_between_days_hold_the_highest_revision_and_no_dividends():
    days = [bar(day=day).closed_at for day in (3, 6)]
    splits = SplitHistory()
    splits.fold(at(0, split("S0", days[0], 2.0, revision=1), "corporate-actions"))
    splits.fold(at(1, split("S0", days[0], 3.0), "corporate-actions"))
    splits.fold(at(2, split("S0", days[1], 4.0), "corporate-actions"))
    dividend = split("S0", days[1], 1.0, kind="DIVIDEND", amount=0.5, currency="USD")
    splits.fold(at(3, dividend, "corporate-actions"))
    first, last = (day.date() for day in days)
    assert [item.event.ratio for item in splits.between("S0", bar(day=0).closed_at.date(), last)] == [2.0, 4.0]
    assert [item.event.ratio for item in splits.between("S0", first, last)] == [4.0], (
        "in force on the first day already"
    )
    assert splits.between("S1", first, last) == ()


def test_offset_ranges_are_the_smallest_of_each_partition():
    events = (at(7, bar()), at(3, bar()), at(5, bar(), partition=2))
    assert offset_ranges(events) == (
        OffsetRange(topic="stock-data", partition=0, from_offset=3, to_offset=7),
        OffsetRange(topic="stock-data", partition=2, from_offset=5, to_offset=5),
    )
