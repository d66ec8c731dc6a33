"""Lag in seconds: by when messages were seen to arrive."""

from streaming.lags import Arrivals, LoopState

PLACE = ("stock-data", 0)


def test_waiting_is_the_age_of_the_oldest_unread_message():
    arrivals = Arrivals()
    for now, end in ((0.0, 10), (5.0, 12), (5.5, 13), (20.0, 13), (21.0, 40)):
        arrivals.note(end, now)
    assert arrivals.waiting(0, 30.0) == 30.0  # there at the first look
    assert arrivals.waiting(10, 30.0) == 25.0
    assert arrivals.waiting(12, 30.0) == 25.0  # within a second of the one before
    assert arrivals.waiting(13, 30.0) == 9.0
    assert arrivals.waiting(40, 30.0) == 0.0


def test_waiting_forgets_nothing_that_is_unread_however_many_arrive():
    arrivals = Arrivals()
    for second in range(10_000):
        arrivals.note(second + 1, float(second))
    assert arrivals.waiting(0, 10_000.0) == 10_000.0
    assert len(arrivals._seen) <= 3600


def test_state_goes_on_counting_while_the_loop_is_busy_and_begins_anew_with_other_partitions():
    state = LoopState()
    state.note_end(PLACE, 5, 0.0)
    assert state.ends == {}  # not its own
    state.place({PLACE: 5})
    assert not state.caught_up  # nobody knows yet
    state.note_end(PLACE, 5, 1.0)
    assert state.seconds_behind(PLACE, 9.0) == 0.0
    assert state.caught_up
    state.note_end(PLACE, 7, 10.0)
    assert not state.caught_up
    assert state.seconds_behind(PLACE, 14.0) == 4.0
    assert state.lag == 2
    state.place({})
    assert (state.lag, state.seconds_behind(PLACE, 20.0)) == (0, 0.0)
