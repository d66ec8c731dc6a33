import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from pydantic import SecretStr

from producers.sources.alphavantage import AlphaVantage, read_alphavantage
from producers.sources.base import VendorDown, VendorRefused, WrongSetting
from producers.sources.web import VendorAnswer
from tests.support.vendors import NOW, Vendor, answer, recorded

KEY = SecretStr("SECRETKEY")


def test_alphavantage_daily_reads_oldest_first() -> None:
    report = read_alphavantage(answer("alphavantage_daily.json"), "ACME", "P1D")
    assert [bar.stamp for bar in report.bars] == [date(2024, 11, 27), date(2024, 11, 29)]
    assert report.bars[0].high == Decimal("229.125")
    assert report.bars[0].volume == 3238831
    assert not report.actions


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("IBM", (None, "USD")),
        ("BRK.B", (None, "USD")),
        ("600104.SHH", ("XSHG", "CNY")),
        ("SHOP.TRT", ("XTSE", "CAD")),
        ("MBG.DEX", ("XETR", "EUR")),
    ],
)
def test_alphavantage_symbol_tells_exchange_and_currency(symbol: str, expected: tuple[str | None, str]) -> None:
    for bar in read_alphavantage(answer("alphavantage_daily.json"), symbol, "P1D").bars:
        assert (bar.exchange, bar.currency) == expected


@pytest.mark.parametrize("symbol", ["TSCO.LON", "X.NOPE"])
def test_alphavantage_symbol_of_another_exchange_is_refused_before_it_costs_a_request(symbol: str) -> None:
    vendor = Vendor(httpx.Response(200, text=recorded("alphavantage_daily.json")))
    with pytest.raises(VendorRefused, match=symbol.partition(".")[2]):
        AlphaVantage(vendor.web(), KEY).fetch(symbol, "P1D", None)
    assert vendor.requests == []


def test_alphavantage_adjusted_function_gives_raw_prices_and_actions() -> None:
    report = read_alphavantage(answer("alphavantage_adjusted.json"), "ACME", "P1D")
    assert [bar.close for bar in report.bars] == [Decimal("1208.88"), Decimal("121.79")]
    assert [(action.kind, action.ex_date, action.value) for action in report.actions] == [
        ("DIVIDEND", date(2024, 6, 7), Decimal("0.1000")),
        ("SPLIT", date(2024, 6, 10), Decimal("10.0")),
    ]


@pytest.mark.parametrize("name", ["alphavantage_limit.json", "alphavantage_note.json"])
def test_alphavantage_limit_in_a_200_is_down_for_a_minute(name: str) -> None:
    with pytest.raises(VendorDown) as caught:
        read_alphavantage(answer(name), "ACME", "P1D")
    assert caught.value.retry_after == 60


def test_alphavantage_limit_that_echoes_the_key_does_not_show_it() -> None:
    vendor = Vendor(httpx.Response(200, text=recorded("alphavantage_limit.json")))
    with pytest.raises(VendorDown) as caught:
        AlphaVantage(vendor.web(), KEY).fetch("ACME", "P1D", None)
    assert "SECRETKEY" not in str(caught.value)
    assert "25 requests per day" in str(caught.value)


def test_alphavantage_paid_function_is_refused_with_the_setting_to_change() -> None:
    with pytest.raises(VendorRefused, match="FORETICK_ALPHAVANTAGE_FULL=false"):
        read_alphavantage(answer("alphavantage_premium.json"), "ACME", "P1D")


@pytest.mark.parametrize("field", ["Information", "Note", "Error Message"])
@pytest.mark.parametrize(
    "text",
    [
        "The **demo** API key is for demo purposes only. Please claim your free API key at (https://www.alphavantage.co)",
        "the parameter apikey is invalid or missing. Please claim your free API key",
        "Your API key SECRETKEY has been disabled.",
    ],
)
def test_alphavantage_wrong_key_in_a_200_stops_the_source_with_the_setting_to_mend(field: str, text: str) -> None:
    vendor = Vendor(httpx.Response(200, json={field: text}))
    with pytest.raises(WrongSetting, match="FORETICK_ALPHAVANTAGE_KEY") as caught:
        AlphaVantage(vendor.web(), KEY).fetch("IBM", "P1D", None)
    assert len(vendor.requests) == 1
    assert "SECRETKEY" not in str(caught.value)


def test_alphavantage_limit_holds_for_every_symbol() -> None:
    vendor = Vendor(httpx.Response(200, text=recorded("alphavantage_limit.json")))
    source = AlphaVantage(vendor.web(), KEY)
    for symbol in ("IBM", "MSFT"):
        with pytest.raises(VendorDown):
            source.fetch(symbol, "P1D", None)
    assert len(vendor.requests) == 1


def test_alphavantage_unknown_symbol_in_a_200_is_refused() -> None:
    with pytest.raises(VendorRefused, match="Invalid API call"):
        read_alphavantage(answer("alphavantage_unknown.json"), "NOPE", "P1D")


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}", recorded("page.html"), '{"Time Series (Daily)": null}'])
def test_alphavantage_nonsense_in_a_200_is_down(text: str) -> None:
    with pytest.raises(VendorDown):
        read_alphavantage(VendorAnswer(200, text), "ACME", "P1D")


def test_alphavantage_unreadable_row_is_refused_alone() -> None:
    text = recorded("alphavantage_daily.json").replace('"2024-11-27"', '"yesterday"')
    report = read_alphavantage(VendorAnswer(200, text), "ACME", "P1D")
    assert [bar.stamp for bar in report.bars] == [date(2024, 11, 29)]
    assert report.refusals[0].at == "yesterday"


@pytest.mark.parametrize(
    ("since", "full", "size"),
    [
        (None, True, "full"),
        (None, False, "compact"),
        (timedelta(days=5), True, "compact"),
        (timedelta(400), True, "full"),
    ],
)
def test_alphavantage_asks_for_no_more_than_it_needs(since: timedelta | None, full: bool, size: str) -> None:
    vendor = Vendor(httpx.Response(200, text=recorded("alphavantage_daily.json")))
    source = AlphaVantage(vendor.web(), KEY, full=full, now=lambda: NOW)
    source.fetch("ACME", "P1D", NOW - since if since else None)
    params = vendor.requests[0].url.params
    assert (params["outputsize"], params["apikey"], params["symbol"]) == (size, "SECRETKEY", "ACME")


def test_alphavantage_other_interval_is_refused() -> None:
    with pytest.raises(VendorRefused, match="PT1H"):
        AlphaVantage(Vendor(httpx.Response(200)).web(), KEY).fetch("ACME", "PT1H", datetime.now(UTC))


def test_alphavantage_decimal_commas_are_no_thousands() -> None:
    text = recorded("alphavantage_daily.json")
    commas = re.sub(r'"(\d+)\.(\d+)"', r'"\1,\2"', text)
    assert commas != text
    expected = [bar.close for bar in read_alphavantage(VendorAnswer(200, text), "ACME", "P1D").bars]
    assert [bar.close for bar in read_alphavantage(VendorAnswer(200, commas), "ACME", "P1D").bars] == expected
