"""Yahoo's splits and dividends, each judged by itself: none makes a sound chart unreadable, or changes its prices."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from producers.sources.base import Report
from producers.sources.web import VendorAnswer
from producers.sources.yahoo import Yahoo, read_yahoo
from tests.support.vendors import Vendor

DAYS = [date(2024, 6, 5), date(2024, 6, 6), date(2024, 6, 7)]


def opened(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 13, 30, tzinfo=UTC).timestamp())


SPLIT: dict[str, Any] = {"date": opened(DAYS[1]), "numerator": 4.0, "denominator": 1.0, "splitRatio": "4:1"}
DIVIDEND = {"date": opened(DAYS[1]), "amount": 0.25}


def document(events: Any, currency: str = "USD", price: float = 30.0) -> str:
    prices = [price] * len(DAYS)
    quote = {"open": prices, "high": prices, "low": prices, "close": prices, "volume": [100] * len(DAYS)}
    result = {
        "meta": {
            "symbol": "ACME",
            "currency": currency,
            "exchangeName": "NYQ",
            "exchangeTimezoneName": "America/New_York",
        },
        "timestamp": [opened(day) for day in DAYS],
        "indicators": {"quote": [quote]},
        "events": events,
    }
    return json.dumps({"chart": {"result": [result], "error": None}})


def read(events: Any, **chart: Any) -> Report:
    return read_yahoo(VendorAnswer(200, document(events, **chart)), "ACME", "P1D")


@pytest.mark.parametrize(
    ("chart", "own", "amount", "expected"),
    [
        ("GBp", "GBP", 0.205, (0.205, "GBP")),  # pounds beside pence
        ("GBp", "GBp", 20.5, (0.205, "GBP")),
        ("GBp", None, 20.5, (0.205, "GBP")),
        ("GBp", "", 20.5, (0.205, "GBP")),
        ("GBp", "USD", 0.31, (0.31, "USD")),
        ("ZAc", "ZAR", 1.5, (1.5, "ZAR")),
        ("ILA", "ILS", 1.5, (1.5, "ILS")),
        ("USD", "CAD", 0.25, (0.25, "CAD")),
        ("GBP", "GBp", 25, (0.25, "GBP")),
        ("USD", None, 0.25, (0.25, "USD")),
    ],
)
def test_dividend_is_in_its_own_currency_else_in_the_charts(
    chart: str, own: str | None, amount: float, expected: tuple[float, str]
) -> None:
    told = {"date": opened(DAYS[1]), "amount": amount} | ({} if own is None else {"currency": own})
    report = read({"dividends": {"1": told}}, currency=chart, price=3000.0)
    assert [(float(action.value), action.currency) for action in report.actions] == [expected]
    assert report.refusals == ()


def test_dividend_that_is_no_part_of_the_price_in_the_charts_minor_unit_is_refused_in_words() -> None:
    report = read({"dividends": {"1": DIVIDEND | {"amount": 0.205}}}, currency="GBp", price=3000.0)
    assert (len(report.bars), report.actions) == (3, ())
    assert "names no currency" in report.refusals[0].reason
    assert "it may be in GBP" in report.refusals[0].reason


@pytest.mark.parametrize(
    "events",
    [
        None,
        {},
        [],
        {"splits": []},
        {"splits": None, "dividends": None},
        {"splits": {}, "dividends": []},
        {"capitalGains": {"1": {"amount": 1}}},
    ],
)
def test_chart_without_events_however_that_is_written_is_read(events: Any) -> None:
    report = read(events)
    assert (len(report.bars), report.actions, report.refusals) == (3, (), ())


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "4:1",
        7,
        {},
        {"date": opened(DAYS[1])},
        SPLIT | {"numerator": 0, "splitRatio": "0:1"},
        SPLIT | {"denominator": 0, "splitRatio": None},
        SPLIT | {"numerator": -4, "splitRatio": "-4:1"},
        SPLIT | {"numerator": None, "splitRatio": ""},
        SPLIT | {"numerator": "four", "splitRatio": "four:one"},
        SPLIT | {"numerator": float("nan"), "splitRatio": "nan"},
        SPLIT | {"numerator": 1e300, "splitRatio": "x"},
        SPLIT | {"date": None},
        SPLIT | {"date": 99_999_999_999_999},
        SPLIT | {"date": "soon"},
    ],
)
def test_bad_split_is_refused_alone_and_the_chart_is_read(bad: Any) -> None:
    report = read({"splits": {"1": bad}, "dividends": {"1": DIVIDEND}})
    assert [bar.close for bar in report.bars] == [30, 30, 30]
    assert [action.kind for action in report.actions] == ["DIVIDEND"]
    [refusal] = report.refusals
    assert "split" in refusal.at


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        DIVIDEND | {"amount": None},
        DIVIDEND | {"amount": "some"},
        DIVIDEND | {"amount": float("nan")},
        DIVIDEND | {"date": 1e20},
        {"amount": 0.25},
    ],
)
def test_bad_dividend_is_refused_alone_and_the_rest_is_read(bad: Any) -> None:
    report = read({"dividends": {"1": bad, "2": DIVIDEND}, "splits": {"1": SPLIT}})
    assert len(report.bars) == 3
    assert [action.kind for action in report.actions] == ["SPLIT", "DIVIDEND"]
    [refusal] = report.refusals
    assert "dividend" in refusal.at


@pytest.mark.parametrize("part", ["none", 5])
def test_events_of_another_kind_are_refused_alone(part: Any) -> None:
    report = read({"splits": part, "dividends": {"1": DIVIDEND}})
    assert (len(report.bars), len(report.actions), len(report.refusals)) == (3, 1, 1)


def test_events_in_a_list_are_read_like_those_in_an_object() -> None:
    assert [action.value for action in read({"splits": [SPLIT]}).actions] == [4]


def test_split_told_twice_divides_once_and_two_of_one_day_are_told() -> None:
    later = SPLIT | {"date": SPLIT["date"] + 60}
    report = read({"splits": {"1": SPLIT, "2": later}})
    assert ([action.value for action in report.actions], report.refusals) == ([4], ())
    assert [bar.close for bar in report.bars] == [120, 30, 30]
    report = read({"splits": {"1": SPLIT, "2": later | {"numerator": 2}}})
    assert [action.value for action in report.actions] == [2]
    assert "a split of 4 and one of 2" in report.refusals[0].reason


def test_market_time_beyond_all_bounds_costs_no_bar() -> None:
    text = document(None).replace('"symbol"', '"regularMarketTime": 1e300, "symbol"')
    assert len(read_yahoo(VendorAnswer(200, text), "ACME", "P1D").bars) == 3


def test_split_whose_numbers_are_none_is_read_by_its_text_and_told() -> None:
    report = read({"splits": {"1": SPLIT | {"denominator": 0}}})
    assert [action.value for action in report.actions] == [4]
    assert [bar.close for bar in report.bars] == [120, 30, 30]
    assert "splitRatio says, 4:1" in report.refusals[0].reason


@pytest.mark.parametrize("ahead", [1, 2, 30])
def test_split_of_a_later_day_leaves_todays_prices_and_amounts(ahead: int) -> None:
    coming = SPLIT | {"date": opened(DAYS[-1]) + ahead * 86_400}
    vendor = Vendor(httpx.Response(200, text=document({"splits": {"1": coming}, "dividends": {"1": DIVIDEND}})))
    report = Yahoo(vendor.web(), now=lambda: opened(DAYS[-1]) + 3_600.0).fetch("ACME", "P1D", None)
    assert [bar.close for bar in report.bars] == [30, 30, 30]
    assert [action.value for action in report.actions if action.kind == "DIVIDEND"] == [Decimal("0.25")]
    assert [bar.close for bar in read({"splits": {"1": coming}}).bars] == [30, 30, 30]


def test_split_of_today_is_in_force_before_the_first_bar_of_the_day() -> None:
    today = SPLIT | {"date": opened(date(2024, 6, 10))}
    answer = VendorAnswer(200, document({"splits": {"1": today}}))
    report = read_yahoo(answer, "ACME", "P1D", opened(date(2024, 6, 10)) - 3_600)
    assert [bar.close for bar in report.bars] == [120, 120, 120]


def test_price_or_amount_beyond_all_bounds_costs_no_other_bar() -> None:
    text = document({"splits": {"1": SPLIT}, "dividends": {"1": DIVIDEND}}).replace("[30.0,", "[1e300,", 1)
    report = read_yahoo(VendorAnswer(200, text.replace("0.25", "1e300")), "ACME", "P1D")
    assert len(report.bars) == 3
