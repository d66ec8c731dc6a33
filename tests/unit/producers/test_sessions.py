from datetime import UTC, date, datetime, timedelta

import pytest

from producers.sessions import Hours, OutsideSessions, UnknownExchange, calendar_of

NYSE = calendar_of(None, "XNYS")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("day", "opened", "closed"),
    [
        (date(2012, 1, 3), at(2012, 1, 3, 14, 30), at(2012, 1, 3, 21)),
        (date(2012, 7, 2), at(2012, 7, 2, 13, 30), at(2012, 7, 2, 20)),  # daylight saving time
        (date(2012, 7, 3), at(2012, 7, 3, 13, 30), at(2012, 7, 3, 17)),  # the eve of Independence Day
        (date(2012, 11, 23), at(2012, 11, 23, 14, 30), at(2012, 11, 23, 18)),  # the day after Thanksgiving
    ],
)
def test_daily_bar_spans_its_session(day: date, opened: datetime, closed: datetime) -> None:
    assert NYSE.bounds("P1D", day, "open") == (opened, closed)
    assert NYSE.bounds("P1D", opened, "open") == (opened, closed)
    assert NYSE.bounds("P1D", closed, "close") == (opened, closed)


@pytest.mark.parametrize("day", [date(2012, 1, 1), date(2012, 10, 29), date(2001, 9, 12)])
def test_daily_bar_on_a_day_without_trading_has_no_session(day: date) -> None:
    with pytest.raises(OutsideSessions, match=f"{day} is no session of XNYS"):
        NYSE.bounds("P1D", day, "open")


def test_last_hour_ends_with_the_session() -> None:
    expected = (at(2012, 1, 3, 20, 30), at(2012, 1, 3, 21))
    assert NYSE.bounds("PT1H", at(2012, 1, 3, 20, 30), "open") == expected
    assert NYSE.bounds("PT1H", at(2012, 1, 3, 21), "close") == expected


def test_minute_stamped_by_its_close_is_the_one_before() -> None:
    opened = at(2012, 1, 3, 14, 30)
    assert NYSE.bounds("PT1M", at(2012, 1, 3, 14, 31), "close")[0] == opened
    assert NYSE.bounds("PT1M", opened, "open")[0] == opened


@pytest.mark.parametrize("moment", [at(2012, 1, 3, 14, 29), at(2012, 1, 3, 21), at(2012, 1, 2, 15), at(1950, 1, 3, 15)])
def test_hour_outside_every_session_is_refused(moment: datetime) -> None:
    with pytest.raises(OutsideSessions):
        NYSE.bounds("PT1H", moment, "open")


def test_calendar_of_an_unknown_exchange_is_asked_for_by_name() -> None:
    with pytest.raises(UnknownExchange, match=r"'XXXX'.*FORETICK_CALENDARS"):
        calendar_of("XXXX", "XNYS")


@pytest.mark.parametrize(
    ("exchange", "name"),
    [
        ("XNAS", "XNYS"),
        ("OTCM", "XNYS"),
        (None, "XLON"),
        ("XSHE", "XSHG"),
        pytest.param("XNSE", "XBOM", marks=pytest.mark.slow),
        pytest.param("XKOS", "XKRX", marks=pytest.mark.slow),
        ("XNYM", "CMES"),
        ("24/7", "24/7"),
    ],
)
def test_calendar_of_an_exchange_is_its_own_or_that_of_the_same_sessions(exchange: str | None, name: str) -> None:
    assert calendar_of(exchange, "XLON").name == name


@pytest.mark.parametrize(
    ("exchange", "opened", "expected"),
    [
        ("XHKG", at(2025, 9, 30, 3, 30), (at(2025, 9, 30, 3, 30), at(2025, 9, 30, 4))),  # the last before the break
        ("XHKG", at(2025, 9, 30, 5), (at(2025, 9, 30, 5), at(2025, 9, 30, 6))),
        ("XHKG", at(2025, 9, 30, 7), (at(2025, 9, 30, 7), at(2025, 9, 30, 8))),
        ("XSHG", at(2025, 9, 30, 6), (at(2025, 9, 30, 6), at(2025, 9, 30, 7))),
        ("XTKS", at(2025, 9, 30, 2), (at(2025, 9, 30, 2), at(2025, 9, 30, 2, 30))),
        ("XTKS", at(2025, 9, 30, 3, 30), (at(2025, 9, 30, 3, 30), at(2025, 9, 30, 4, 30))),
        ("XHKG", at(2025, 12, 24, 3, 30), (at(2025, 12, 24, 3, 30), at(2025, 12, 24, 4))),  # no afternoon
        ("24/7", at(2025, 9, 28, 23), (at(2025, 9, 28, 23), at(2025, 9, 29))),  # a Sunday
    ],
)
def test_hour_of_an_exchange_with_a_break_counts_from_where_trading_starts(
    exchange: str, opened: datetime, expected: tuple[datetime, datetime]
) -> None:
    calendar = calendar_of(exchange, "XNYS")
    assert calendar.bounds("PT1H", opened, "open") == expected
    assert calendar.bounds("PT1H", expected[1], "close") == expected


@pytest.mark.parametrize("moment", [at(2025, 9, 30, 4, 30), at(2025, 9, 30, 8, 30), at(2025, 12, 24, 6)])
def test_hour_in_a_lunch_break_is_refused(moment: datetime) -> None:
    with pytest.raises(OutsideSessions):
        calendar_of("XHKG", "XNYS").bounds("PT1H", moment, "open")


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        (at(2025, 9, 28, 22, 30), date(2025, 9, 29)),  # Sunday evening: Monday's session
        (at(2025, 9, 29, 4), date(2025, 9, 29)),  # midnight in New York
        (at(2025, 9, 29, 22, 30), date(2025, 9, 30)),
    ],
)
def test_daily_bar_of_a_session_that_opens_on_the_evening_before_is_that_sessions(stamp: datetime, day: date) -> None:
    calendar = calendar_of("XNYM", "XNYS")
    assert calendar.bounds("P1D", stamp, "open") == calendar.session(day)


@pytest.mark.parametrize("exchange", ["XSHG", "XBOM", "XTKS"])
def test_calendar_that_begins_late_is_known_from_its_beginning(exchange: str) -> None:
    assert calendar_of(exchange, "XNYS").days[0] < date(1998, 1, 1)


def test_sessions_before_counts_sessions_not_days() -> None:
    assert NYSE.sessions_before(at(2012, 1, 3, 21), 1) == at(2011, 12, 30, 14, 30)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(2012, 1, 6, 20, 59), Hours(True, at(2012, 1, 5, 21), at(2012, 1, 4, 21), at(2012, 1, 6, 21))),
        (at(2012, 1, 6, 21), Hours(False, at(2012, 1, 6, 21), at(2012, 1, 5, 21), at(2012, 1, 9, 14, 30))),
        (
            at(2012, 1, 16, 18),
            Hours(False, at(2012, 1, 13, 21), at(2012, 1, 12, 21), at(2012, 1, 17, 14, 30)),
        ),  # a holiday
        (NYSE.closes[-1], Hours(False, NYSE.closes[-1], NYSE.closes[-2], None)),
    ],
)
def test_hours_tell_whether_it_trades_and_when_that_changes(moment: datetime, expected: Hours) -> None:
    assert NYSE.hours(moment) == expected


@pytest.mark.parametrize(
    ("moment", "trading", "changes"),
    [
        (at(2025, 9, 30, 3), True, at(2025, 9, 30, 4)),
        (at(2025, 9, 30, 4, 30), False, at(2025, 9, 30, 5)),
        (at(2025, 9, 30, 6), True, at(2025, 9, 30, 8)),
    ],
)
def test_hours_of_an_exchange_with_a_break_tell_the_break(moment: datetime, trading: bool, changes: datetime) -> None:
    told = calendar_of("XHKG", "XNYS").hours(moment)
    assert (told.open, told.changes_at, told.last_close) == (trading, changes, at(2025, 9, 29, 8))


def test_hours_before_the_calendar_are_not_known() -> None:
    with pytest.raises(OutsideSessions, match="before the sessions that are known of XNYS"):
        NYSE.hours(NYSE.closes[1] - timedelta(minutes=1))
