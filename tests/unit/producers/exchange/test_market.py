import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from producers.bars import KnownBar, SoundBar, decide, judge, looks_misadjusted
from producers.exchange.listings import ListedSession
from producers.exchange.market import NoData, chart
from producers.sources.base import Report
from producers.sources.web import VendorAnswer
from producers.sources.yahoo import read_yahoo
from tests.support.vendors import listings

ALWAYS = (-10_000_000_000, 9_999_999_999)


def close_of(day: date, symbol: str = "AAPL") -> datetime:
    listing = listings()[symbol]
    return next(close for session, close in zip(listing.sessions, listing.closes, strict=True) if session.day == day)


def result(symbol: str, now: datetime, start: int = ALWAYS[0], end: int = ALWAYS[1]) -> dict[str, Any]:
    found: dict[str, Any] = chart(listings()[symbol], now, start, end)["chart"]["result"][0]
    return found


def fetched(symbol: str, now: datetime) -> Report:
    """Return what the yahoo source reads from the exchange."""
    return read_yahoo(VendorAnswer(200, json.dumps(chart(listings()[symbol], now, *ALWAYS))), symbol, "P1D")


def sound_bars(report: Report, now: datetime) -> list[SoundBar]:
    judged = [judge(bar, "yahoo", "XNYS", now) for bar in report.bars]
    assert all(isinstance(bar, SoundBar) for bar in judged)
    return [bar for bar in judged if isinstance(bar, SoundBar)]


def test_chart_shows_a_session_from_its_close_on_and_no_later_one() -> None:
    close = close_of(date(2012, 1, 3))
    before, after = result("AAPL", close - timedelta(seconds=1)), result("AAPL", close)
    assert len(after["timestamp"]) == len(before["timestamp"]) + 1
    assert after["timestamp"][-1] == int(datetime(2012, 1, 3, 14, 30, tzinfo=UTC).timestamp())


def test_chart_range_is_kept_and_meta_tells_the_market() -> None:
    now = close_of(date(2012, 7, 3))
    start = int(datetime(2012, 6, 28, tzinfo=UTC).timestamp())
    found = result("IBM", now, start)
    assert len(found["timestamp"]) == 4
    meta = found["meta"]
    assert (meta["exchangeName"], meta["currency"], meta["gmtoffset"]) == ("NYQ", "USD", -14400)
    assert meta["regularMarketTime"] == int(datetime(2012, 7, 3, 17, tzinfo=UTC).timestamp())
    assert meta["exchangeTimezoneName"] == "America/New_York"


@pytest.mark.parametrize(("symbol", "now"), [("FB", datetime(2012, 5, 17, 20, tzinfo=UTC))])
def test_chart_before_a_listing_answers_as_yahoo_does(symbol: str, now: datetime) -> None:
    with pytest.raises(NoData, match="Data doesn't exist") as caught:
        result(symbol, now)
    assert caught.value.status == 400
    assert not read_yahoo(VendorAnswer(400, json.dumps(caught.value.body)), symbol, "P1D").bars


def test_quotes_are_adjusted_for_splits_up_to_now_and_in_single_precision() -> None:
    before = result("AAPL", close_of(date(2000, 6, 20)))["indicators"]["quote"][0]
    after = result("AAPL", close_of(date(2000, 6, 21)))["indicators"]["quote"][0]
    latest = result("AAPL", close_of(date(2012, 1, 3)))["indicators"]["quote"][0]
    assert before["close"][0] == pytest.approx(130.31, rel=1e-7)
    assert after["close"][0] == pytest.approx(130.31 / 2, rel=1e-7)
    assert latest["close"][0] == 32.57749938964844  # 130.31 / 4 as a float32
    assert latest["volume"][0] == 4 * before["volume"][0]


def test_splits_are_listed_only_once_they_happened_and_inside_the_range() -> None:
    assert "events" not in result("AAPL", close_of(date(2000, 6, 20)))
    assert len(result("AAPL", close_of(date(2012, 1, 3)))["events"]["splits"]) == 2
    late = int(datetime(2005, 3, 1, tzinfo=UTC).timestamp())
    assert "events" not in result("AAPL", close_of(date(2012, 1, 3)), late)


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT", "GOOG", "FB", "IBM"])
def test_raw_data_comes_back_exactly_through_the_yahoo_source(symbol: str) -> None:
    listing = listings()[symbol]
    report = fetched(symbol, listing.closes[-1])
    back = [
        ListedSession(
            day=bar.stamp, open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=int(bar.volume or 0)
        )  # type: ignore[arg-type]
        for bar in report.bars
    ]
    assert back == list(listing.sessions)
    paid = {(action.ex_date, action.value) for action in report.actions if action.kind == "DIVIDEND"}
    assert paid == set(listing.company.dividends)


@pytest.mark.parametrize(
    ("symbol", "ex_date"), [("AAPL", (2000, 6, 21)), ("AAPL", (2005, 2, 28)), ("MSFT", (2003, 2, 18))]
)
def test_crossing_a_split_creates_no_revision(symbol: str, ex_date: tuple[int, int, int]) -> None:
    after = close_of(date(*ex_date), symbol)
    before = listings()[symbol].closes[listings()[symbol].visible(after) - 2]
    known = {bar.event.closed_at: KnownBar.of(bar.event) for bar in sound_bars(fetched(symbol, before), before)}
    again = sound_bars(fetched(symbol, after), after)
    assert looks_misadjusted(known, again) is None
    news = [event for bar in again if (event := decide(known, bar))]
    assert [(event.closed_at, event.revision) for event in news] == [(after, 0)]
    same = {bar.event.closed_at: bar.event.payload_sha256 for bar in again}
    assert all(same[time] == bar.payload_sha256 for time, bar in known.items())


def test_split_that_is_adjusted_for_but_not_listed_is_noticed() -> None:
    before, after = close_of(date(2000, 6, 20)), close_of(date(2000, 6, 21))
    known = {bar.event.closed_at: KnownBar.of(bar.event) for bar in sound_bars(fetched("AAPL", before), before)}
    document = chart(listings()["AAPL"], after, *ALWAYS)
    del document["chart"]["result"][0]["events"]
    report = read_yahoo(VendorAnswer(200, json.dumps(document)), "AAPL", "P1D")
    assert looks_misadjusted(known, sound_bars(report, after)) == pytest.approx(0.5, rel=0.001)


def test_adjclose_follows_the_dividends_gone_ex_by_now() -> None:
    def adjusted(now: datetime) -> float:
        return float(result("MSFT", now)["indicators"]["adjclose"][0]["adjclose"][-2])

    day = date(2004, 11, 15)
    session = next(each for each in listings()["MSFT"].sessions if each.day == date(2004, 11, 12))
    assert adjusted(close_of(day)) == pytest.approx(float(session.close) - 3.08, rel=1e-6)
