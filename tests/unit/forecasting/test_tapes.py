"""What is remembered of the log is the same in whatever order it came."""

from itertools import permutations

import pytest

from contracts.parts import OffsetRange
from forecasting.tapes import Placed, Splits, Tape, offset_ranges
from tests.unit.forecasting.markets import bar, split


def at(offset, event, topic="stock-data", partition=0):
    return Placed(event, topic, partition, offset, schema_id=3)


def test_tape_takes_the_highest_revision_in_any_order():
    events = [at(0, bar(day=1)), at(1, bar(day=2)), at(2, bar(day=1, close=11.0, revision=1))]
    for order in permutations(events):
        tape = Tape(keep=10)
        for event in order:
            tape.fold(event)
        assert [item.event.close for item in tape.last(5)] == [11.0, 10.0]


def test_tape_tells_the_newest_bar_and_its_correction_from_all_else():
    tape = Tape(keep=10)
    assert tape.fold(at(0, bar(day=1)))
    assert tape.fold(at(1, bar(day=2)))
    assert not tape.fold(at(1, bar(day=2))), "read again"
    assert not tape.fold(at(2, bar(day=0))), "older"
    assert not tape.fold(at(3, bar(day=1, revision=1))), "a correction of an older one"
    assert tape.fold(at(4, bar(day=2, revision=1)))
    assert tape.newest.offset == 4


def test_tape_keeps_at_least_so_many_bars_and_passes_over_what_is_older():
    tape = Tape(keep=3)
    for day in range(1, 9):
        tape.fold(at(day, bar(day=day)))
    assert 3 <= len(tape) <= 6
    before = tape.last(100)
    assert not tape.fold(at(99, bar(day=0)))
    assert tape.last(100) == before


def test_jump_of_a_halved_price_is_that_of_a_split():
    tape = Tape(keep=3)
    tape.fold(at(0, bar(day=1, close=10.0)))
    assert tape.jump() == 0.0
    tape.fold(at(1, bar(day=2, close=5.0)))
    assert tape.jump() == pytest.approx(0.693, abs=1e-3)


def test_splits_between_days_hold_the_highest_revision_and_no_dividends():
    days = [bar(day=day).closed_at for day in (3, 6)]
    splits = Splits()
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
