"""What is read of a partition must come offset by offset, and come at all."""

import pytest

from streaming import stall
from streaming.damage import Damaged, LossWatch
from streaming.headers import SEQUENCE
from streaming.settings import StreamSettings

PLACE = ("stock-forecasts", 2)
BARS = ("stock-data", 2)


class Come:
    """A message that was read; `sequence` is its number in the partition, if it was appended in a transaction."""

    def __init__(self, offset: int, sequence: int | None = None, place: tuple[str, int] = PLACE) -> None:
        self._place, self._offset = place, offset
        self._headers = [] if sequence is None else [(SEQUENCE, f"{sequence:020d}".encode())]

    def topic(self) -> str:
        return self._place[0]

    def partition(self) -> int:
        return self._place[1]

    def offset(self) -> int:
        return self._offset

    def headers(self) -> list[tuple[str, bytes]]:
        return self._headers


def taken(*messages: tuple[int, int | None], start: int | None = None) -> LossWatch:
    """Return a watch that has taken bars with these offsets and numbers."""
    watch = LossWatch(StreamSettings(), {} if start is None else {BARS: start})
    for offset, sequence in messages:
        assert watch.take(Come(offset, sequence, BARS))
    return watch


def test_offsets_that_follow_each_other_are_taken_once():
    watch = LossWatch(StreamSettings(), {PLACE: 5})
    assert [watch.take(Come(offset)) for offset in (3, 5, 6, 5, 7)] == [False, True, True, False, True]


def test_partition_of_which_nothing_is_known_begins_with_what_comes_first():
    watch = LossWatch(StreamSettings(), {})
    assert watch.take(Come(40))
    with pytest.raises(Damaged, match=r"damaged at stock-forecasts\[2\]@41: what follows is offset 43"):
        watch.take(Come(43))


def test_end_of_a_range_that_did_not_come_is_damage():
    watch = LossWatch(StreamSettings(), {PLACE: 5})
    watch.reach(PLACE, 5)
    with pytest.raises(Damaged, match=r"@5: what follows is offset 9 .*FORETICK_TRANSACTIONS=true"):
        watch.reach(PLACE, 9)
    allowed = LossWatch(StreamSettings(transactions=True), {PLACE: 5})
    allowed.reach(PLACE, 9)
    assert allowed.next == {PLACE: 9}


def test_damage_is_told_and_passed_over_where_that_is_asked():
    told: list[Damaged] = []
    watch = LossWatch(StreamSettings(), {PLACE: 5}, told.append)
    assert watch.take(Come(8))
    assert watch.next == {PLACE: 9}
    assert ["@5" in str(each) for each in told] == [True]


@pytest.mark.parametrize(
    "messages",
    [
        [(0, 0), (1, 1), (3, 2), (7, 3)],  # ends, and events taken back
        [(4, None), (5, 5), (7, 6)],  # the first that was appended
        [(5, 5), (7, None), (9, 6)],  # of somebody else, after an end
        [(9, None)],  # nobody knows what was before
    ],
)
def test_gaps_that_transactions_leave_are_none_as_long_as_the_numbers_go_on(messages):
    assert taken(*messages, start=messages[0][0]).next == {BARS: messages[-1][0] + 1}


def test_range_may_begin_and_end_where_a_transaction_ends():
    watch = taken((9, 4), start=8)
    watch.reach(BARS, 12)
    assert watch.next == {BARS: 12}


@pytest.mark.parametrize(
    ("messages", "lost"), [([(0, 0), (1, 1)], (4, 3)), ([(0, 0)], (3, 0)), ([(3, None)], (5, None))]
)
def test_number_that_lacks_beyond_a_gap_is_damage(messages, lost):
    watch = taken(*messages, start=messages[0][0])
    with pytest.raises(Damaged, match=rf"@{messages[-1][0] + 1}: what follows is offset {lost[0]}"):
        watch.take(Come(*lost, BARS))


def test_end_that_lacks_after_bars_without_transactions_is_damage():
    with pytest.raises(Damaged, match="@4: what follows is offset 5"):
        taken((3, None), start=3).reach(BARS, 5)


class Silent:
    """A consumer to which the broker has told of nine messages, and given none."""

    def get_watermark_offsets(self, place, cached):
        return 0, 9


@pytest.mark.parametrize("answers", [True, False], ids=["the broker answers", "the broker is away"])
def test_partition_that_gives_nothing_is_damaged_after_a_minute_if_the_broker_answers(monkeypatch, answers):
    now = [100.0]
    monkeypatch.setattr(stall.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(stall.Stall, "_has", lambda *_: answers)
    watched = stall.Stall(StreamSettings())

    def wait(seconds: int) -> None:
        for _ in range(seconds):
            now[0] += 1
            watched.look(Silent(), {PLACE: 4})

    wait(59)
    now[0] += 100  # the loop had other work: that time does not count
    wait(59)
    watched.look(Silent(), {PLACE: 5})  # something came
    wait(60)
    if answers:
        with pytest.raises(Damaged, match=r"stock-forecasts\[2\]@4: .*nothing came for 60 s"):
            wait(3)
    else:
        wait(300)
