from datetime import UTC, date, datetime

import numpy as np
import pytest

from forecasting.data.calendars import SessionUnknown, as_closes, closes_after, session_of, target_ats


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_targets_over_a_weekend_and_a_holiday_are_real_sessions() -> None:
    # Friday before Martin Luther King's day 2012.
    assert target_ats(at("2012-01-13T21:00"), 2) == (at("2012-01-17T21:00"), at("2012-01-18T21:00"))


def test_targets_on_an_early_close_stand_at_the_early_close() -> None:
    assert target_ats(at("2012-11-21T21:00"), 1) == (at("2012-11-23T18:00"),)


def test_targets_in_summer_follow_daylight_saving() -> None:
    assert target_ats(at("2012-07-02T20:00"), 1) == (at("2012-07-03T17:00"),)


def test_targets_from_inside_a_session_begin_with_its_own_close() -> None:
    assert target_ats(at("2012-01-03T15:00"), 1) == (at("2012-01-03T21:00"),)


@pytest.mark.parametrize("interval", ["PT1H", "PT1M", "P1W"])
def test_targets_of_an_interval_without_calendar_are_refused(interval: str) -> None:
    with pytest.raises(SessionUnknown, match=interval):
        target_ats(at("2012-01-03T21:00"), 1, interval=interval)


def test_targets_beyond_the_calendar_are_refused() -> None:
    with pytest.raises(SessionUnknown, match="knows sessions from"):
        target_ats(at("2090-01-03T21:00"), 1)


def test_targets_of_an_unknown_exchange_are_refused() -> None:
    with pytest.raises(SessionUnknown, match="XXXX"):
        target_ats(at("2012-01-03T21:00"), 1, exchange="XXXX")


def test_closes_after_many_origins_rise_and_follow_each_origin() -> None:
    origins = closes_after(np.array([np.datetime64("2012-01-03T21:00", "ns")]), 100)[0]

    targets = closes_after(origins[:-5], 5)

    assert (targets[:, 0] == origins[1:-4]).all()
    assert (np.diff(targets, axis=1) > np.timedelta64(0)).all()


def test_midnight_stamps_name_the_close_of_their_day() -> None:
    stamps = np.array(["2012-01-03", "2012-01-07", "2012-01-04T21:00"], dtype="datetime64[ns]")

    assert as_closes(stamps).astype("datetime64[m]").tolist() == [
        datetime(2012, 1, 3, 21),
        datetime(2012, 1, 6, 21),  # a Saturday: Friday's close
        datetime(2012, 1, 4, 21),
    ]


def test_session_of_a_close_after_midnight_utc_is_the_local_date() -> None:
    assert session_of(at("2012-01-04T01:00")) == date(2012, 1, 3)
    assert session_of(at("2012-01-04T06:00"), "XTKS") == date(2012, 1, 4)


@pytest.mark.parametrize("day", ["1969-07-20", "1677-09-22", "2261-12-31"])
def test_day_that_the_calendar_does_not_know_stays_as_it_is_and_has_no_session_after_it(day: str) -> None:
    """It was read as the first session of 1970: a history of the fifties got a forecast for the seventies."""
    stamps = np.array([day], dtype="datetime64[ns]")

    assert as_closes(stamps) == stamps
    with pytest.raises(SessionUnknown, match=day):
        closes_after(as_closes(stamps), 5)
