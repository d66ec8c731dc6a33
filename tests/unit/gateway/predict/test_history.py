"""Split adjustment of what the gateway shows and forecasts from."""

from datetime import UTC, date, datetime, timedelta

from contracts.actions import Split
from gateway.predict.history import adjusted, session_date
from gateway.schemas.requests import as_utc


def bar(day: datetime, close: float) -> dict[str, object]:
    return {"closed_at": day, "open": close, "high": close, "low": close, "close": close, "volume": 100.0}


def test_bars_before_a_split_are_put_in_the_newest_bars_share_terms() -> None:
    day = datetime(2005, 2, 25, 21, tzinfo=UTC)
    bars = [bar(day, 88.0), bar(day + timedelta(days=3), 44.0)]
    before, after = adjusted(bars, (Split(date(2005, 2, 28), 2.0),), day + timedelta(days=3))
    assert (before["close"], before["volume"]) == (44.0, 200.0)
    assert (after["close"], after["volume"]) == (44.0, 100.0)
    assert bars[0]["close"] == 88.0


def test_split_that_is_not_yet_changes_nothing() -> None:
    day = datetime(2005, 2, 25, 21, tzinfo=UTC)
    (only,) = adjusted([bar(day, 88.0)], (Split(date(2005, 2, 28), 2.0),), day)
    assert only["close"] == 88.0


def test_session_of_a_bar_that_closes_at_midnight_is_the_day_that_ended() -> None:
    assert session_date(datetime(2005, 2, 26, tzinfo=UTC)) == date(2005, 2, 25)


def test_time_without_a_zone_is_utc() -> None:
    assert as_utc(datetime(2005, 2, 26)) == datetime(2005, 2, 26, tzinfo=UTC)
