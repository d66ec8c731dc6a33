from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from producers.exchange.clock import ClockState, advance, clock_answer

OPENS = [datetime(2012, 1, day, 14, 30, tzinfo=UTC) for day in range(3, 13)]
CLOSES = [opened + timedelta(hours=6, minutes=30) for opened in OPENS]


def state(running: bool = True, seconds: float = 2.0, now: datetime = CLOSES[0]) -> ClockState:
    return ClockState(now=now, running=running, seconds_per_session=seconds, since=100.0)


def test_clock_held_does_not_move() -> None:
    assert advance(state(running=False), CLOSES, 1e6).now == CLOSES[0]


def test_clock_jumps_from_close_to_close() -> None:
    assert advance(state(), CLOSES, 101.9).now == CLOSES[0]
    assert advance(state(), CLOSES, 102.0).now == CLOSES[1]
    assert advance(state(), CLOSES, 105.9).now == CLOSES[2]


def test_clock_between_sessions_goes_to_the_next_close() -> None:
    assert advance(state(now=OPENS[3]), CLOSES, 102.0).now == CLOSES[3]


def test_clock_stays_at_the_last_close() -> None:
    ended = advance(state(), CLOSES, 1e6)
    assert ended.now == CLOSES[-1]
    assert clock_answer(ended, OPENS, CLOSES)["finished"] is True


@given(st.lists(st.floats(0.01, 3.0), max_size=30), st.floats(0.1, 5.0))
def test_clock_looked_at_often_or_once_shows_the_same(gaps: list[float], seconds: float) -> None:
    often, wall = state(seconds=seconds), 100.0
    for gap in gaps:
        wall += gap
        often = advance(often, CLOSES, wall)
    once = advance(state(seconds=seconds), CLOSES, wall)
    assert abs(CLOSES.index(often.now) - CLOSES.index(once.now)) <= 1  # sums of floats meet a boundary differently


def test_clock_saved_and_read_again_shows_the_same() -> None:
    assert ClockState.from_json(state().to_json(), 100.0) == state()


def test_clock_describes_the_session_closed_last() -> None:
    told = clock_answer(state(), OPENS, CLOSES)
    assert (told["now"], told["session"], told["sessions_left"]) == ("2012-01-03T21:00:00Z", "2012-01-03", 9)
    assert (told["first_session"], told["last_session"], told["finished"]) == ("2012-01-03", "2012-01-12", False)
