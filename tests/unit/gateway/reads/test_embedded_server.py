"""A search in growing stretches of time finds what a search of everything finds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reads.embedded_server import search_bounds

FIRST = datetime(2012, 1, 3, 21, tzinfo=UTC)


def summary(times: list[datetime]) -> dict[str, object]:
    return {"first_closed_at": times[0], "last_closed_at": times[-1], "bars": len(times)}


def daily(count: int) -> list[datetime]:
    return [FIRST + timedelta(days=day) for day in range(count)]


gaps = st.sampled_from([timedelta(minutes=1), timedelta(days=1), timedelta(days=3), timedelta(days=400)])


@given(
    st.lists(gaps, min_size=0, max_size=60),
    st.integers(0, 60),
    st.none() | st.integers(0, 60),
    st.none() | st.integers(0, 60),
    st.integers(1, 70),
)
def test_newest_of_any_series_are_found_however_its_bars_are_spread(gaps, forgotten, first, last, limit):
    times = [FIRST]
    for gap in gaps:
        times.append(times[-1] + gap)
    start, until = (None if at is None else times[min(at, len(times) - 1)] for at in (first, last))
    # The read model may lag behind: it has not heard of the newest bars.
    series = summary(times[: max(1, len(times) - forgotten)])
    wanted = [at for at in times if (start is None or start <= at) and (until is None or at < until)][-limit:]
    for since in search_bounds(series, limit, start, [until, None]):
        found = [at for at in times if (since is None or since <= at) and (until is None or at < until)][-limit:]
        if len(found) == limit:
            break
    assert found == wanted


def test_newest_of_a_steady_series_are_in_the_first_reach():
    times = daily(3000)
    since = next(search_bounds(summary(times), 64, None, []))
    assert since is not None
    assert 64 <= sum(since <= at for at in times) <= 100


def test_search_that_begins_earlier_reaches_from_there():
    since = next(search_bounds(summary(daily(3000)), 64, None, [FIRST + timedelta(days=1000)]))
    assert since is not None
    assert FIRST + timedelta(days=900) < since < FIRST + timedelta(days=1000 - 64)


@pytest.mark.parametrize("series", [None, summary(daily(1)), summary(daily(40))])
def test_series_unknown_or_short_is_read_whole_at_once(series):
    assert list(search_bounds(series, 64, FIRST, [None])) == [FIRST]


def test_reaches_before_the_first_of_all_times_are_the_start() -> None:
    series = summary(daily(3000))
    first_of_all = datetime(1, 1, 1, tzinfo=UTC)
    assert list(search_bounds(series, 64, None, [first_of_all])) == [None]
    assert list(search_bounds(series, 64, first_of_all, [first_of_all])) == [first_of_all]
