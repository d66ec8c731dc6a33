"""The curated splits and dividends, held against the price data itself."""

import csv
from datetime import date
from importlib import resources
from itertools import pairwise

import pytest

from producers.exchange.listings import COMPANIES
from producers.sessions import calendar_of
from tests.support.vendors import listings

SYMBOLS = sorted(COMPANIES)


def rows(symbol: str) -> list[dict[str, str]]:
    text = (resources.files("bokeh_sampledata") / "_data" / f"{symbol}.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize(
    ("symbol", "count"), [("AAPL", 3270), ("FB", 196), ("GOOG", 2148), ("IBM", 3270), ("MSFT", 3270)]
)
def test_data_holds_every_session_of_the_calendar_and_no_other_day(symbol: str, count: int) -> None:
    listing = listings()[symbol]
    days = [session.day for session in listing.sessions]
    calendar = calendar_of("XNYS", "XNYS")
    assert len(days) == count
    assert days == [day for day in calendar.days if days[0] <= day <= days[-1]]


def test_early_closes_in_the_data_close_early() -> None:
    listing = listings()["AAPL"]
    lengths = {close - opened for opened, close in zip(listing.opens, listing.closes, strict=True)}
    assert len(lengths) == 2  # a whole session, a half one
    early = [
        session.day
        for session, opened, close in zip(listing.sessions, listing.opens, listing.closes, strict=True)
        if close - opened == min(lengths)
    ]
    assert len(early) == 29
    assert date(2012, 11, 23) in early


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_splits_show_in_the_raw_prices_and_no_other_day_does(symbol: str) -> None:
    sessions = listings()[symbol].sessions
    halved = []
    for before, after in pairwise(sessions):
        gap = float(after.open / before.close)
        # Apple's warning of 2000-09-28 halved its price with no split; the adjusted column shows the fall too.
        if gap < 0.6 and after.day != date(2000, 9, 29):
            halved.append(after.day)
    assert halved == [day for day, _ in COMPANIES[symbol].splits]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_dividends_show_in_the_adjusted_prices_and_no_other_day_does(symbol: str) -> None:
    splits = dict(COMPANIES[symbol].splits)
    announced = dict(COMPANIES[symbol].dividends)
    data = rows(symbol)
    for before, after in pairwise(data):
        day = date.fromisoformat(after["Date"])
        close_before = float(before["Close"]) / float(splits.get(day, 1))
        adjusted, adjusted_before = float(after["Adj Close"]), float(before["Adj Close"])
        implied = close_before - adjusted_before / adjusted * float(after["Close"])
        rounding = close_before * (0.005 / adjusted + 0.005 / adjusted_before) + 0.012  # of both columns, to cents
        assert implied == pytest.approx(float(announced.get(day, 0)), abs=rounding), day
