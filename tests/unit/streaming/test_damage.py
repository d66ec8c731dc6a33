"""What is read of a partition must come offset by offset, and come at all."""

import pytest

from streaming import stall
from streaming.damage import Damaged, LossWatch
from streaming.settings import StreamSettings

PLACE = ("stock-data", 2)


def test_offsets_that_follow_each_other_are_taken_once():
    watch = LossWatch(StreamSettings(), {PLACE: 5})
    assert [watch.take(PLACE, offset) for offset in (3, 5, 6, 5, 7)] == [False, True, True, False, True]


def test_partition_of_which_nothing_is_known_begins_with_what_comes_first():
    watch = LossWatch(StreamSettings(), {})
    assert watch.take(PLACE, 40)
    with pytest.raises(Damaged, match=r"damaged at stock-data\[2\]@41: what follows is offset 43"):
        watch.take(PLACE, 43)


def test_end_of_a_range_that_did_not_come_is_damage():
    watch = LossWatch(StreamSettings(), {PLACE: 5})
    watch.close(PLACE, 5)
    with pytest.raises(Damaged, match=r"@5: what follows is offset 9 .*FORETICK_TRANSACTIONS=true"):
        watch.close(PLACE, 9)
    LossWatch(StreamSettings(transactions=True), {PLACE: 5}).close(PLACE, 9)


def test_damage_is_told_and_passed_over_where_that_is_asked():
    told: list[Damaged] = []
    watch = LossWatch(StreamSettings(), {PLACE: 5}, told.append)
    assert watch.take(PLACE, 8)
    assert watch.next == {PLACE: 9}
    assert ["@5" in str(each) for each in told] == [True]


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
        with pytest.raises(Damaged, match=r"stock-data\[2\]@4: .*nothing came for 60 s"):
            wait(3)
    else:
        wait(300)
