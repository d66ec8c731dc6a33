"""What is remembered of bars: the highest revisions, as they were known to a reader at an offset."""

import sqlite3
from collections.abc import Iterable
from itertools import permutations

import pytest

from contracts.events import BarClosed
from forecasting.data.bar_table import BarTable
from streaming.series_ids import SeriesIds
from tests.support.markets import bar
from tests.support.memory_log import MemoryLog

SERIES = ("S0", "P1D")


def folded(events: Iterable[BarClosed], keep: int = 10) -> BarTable:
    file = sqlite3.connect(":memory:")
    recent = BarTable(file, SeriesIds(file), "P1D", keep)
    for record in MemoryLog(events).topics["stock-data"]:
        recent.fold(record, record.event)
    return recent


def closes(recent: BarTable, until: int = 99, count: int = 99) -> list[float]:
    return list(recent.window(SERIES, until, count).close)


def test_window_holds_the_highest_revision_in_any_order():
    events = [bar(day=1), bar(day=2), bar(day=1, close=11.0, revision=1)]
    for order in permutations(events):
        assert closes(folded(order)) == [11.0, 10.0]


def test_window_is_what_a_reader_knew_who_had_come_to_an_offset():
    recent = folded([bar(day=1), bar(day=2, close=12.0), bar(day=1, close=11.0, revision=1), bar(day=0, close=9.0)])
    assert [closes(recent, until) for until in range(4)] == [[10.0], [10.0, 12.0], [11.0, 12.0], [9.0, 11.0, 12.0]]
    assert closes(recent, count=2) == [11.0, 12.0]
    assert recent.window(SERIES, 2, 9).places == (2, 1)
    assert recent.window(("S1", "P1D"), 9, 9).close == ()


def test_newest_bar_is_the_last_close_and_its_highest_revision_as_known_before_an_offset():
    recent = folded([bar(day=1), bar(day=2, revision=1), bar(day=2), bar(day=0), bar(day=2, revision=2)])
    found = {before: dict(recent.newest(before)) for before in range(6)}
    assert found[0] == {}
    places = [found[before][SERIES].offset for before in range(1, 6)]
    assert places == [0, 1, 1, 1, 4]
    newest = found[5][SERIES]
    record = MemoryLog([bar(day=2, revision=2)]).topics["stock-data"][0]
    assert (newest.closed_at, newest.recorded_at) == (record.event.closed_at, record.event.recorded_at)
    assert newest.headers == record.headers


def test_trimming_leaves_the_last_bars_with_all_their_revisions_whenever_it_was_done():
    events = [bar(day=day, revision=revision) for day in range(1, 9) for revision in (0, 1)]
    events.insert(9, bar(day=0))
    once, often = folded(events, keep=3), folded([], keep=3)
    for record in MemoryLog(events).topics["stock-data"]:
        often.fold(record, record.event)
        often.trim(wholly=False)
    assert 3 <= len(closes(often)) <= 6
    for recent in (once, often):
        recent.trim(wholly=True)
    assert once.window(SERIES, 99, 99) == often.window(SERIES, 99, 99)
    assert len(closes(once)) == 3
    assert once.window(SERIES, 14, 99).places == (12, 14), "the first revision of the newest but one, too"


def test_bars_of_another_interval_are_passed_over():
    assert closes(folded([bar(day=1, interval="PT1M")])) == []


def test_jump_of_a_halved_price_is_that_of_a_split():
    recent = folded([bar(day=1, close=10.0), bar(day=2, close=5.0)])
    assert recent.window(SERIES, 0, 9).jump() == 0.0
    assert recent.window(SERIES, 1, 9).jump() == pytest.approx(0.693, abs=1e-3)
