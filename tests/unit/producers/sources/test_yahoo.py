from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from producers.sources.base import VendorDown, VendorRefused
from producers.sources.web import VendorAnswer
from producers.sources.yahoo import Yahoo, read_yahoo
from tests.support.vendors import Vendor, answer, recorded


def test_yahoo_chart_reads_as_raw_decimals_by_session() -> None:
    report = read_yahoo(answer("yahoo_chart.json"), "ACME", "P1D")
    first = report.bars[0]
    assert first.stamp == date(2024, 11, 22)
    assert (first.open, first.high, first.low, first.close) == tuple(
        map(Decimal, ["342.58", "346.2", "340.4", "344.82"])
    )
    assert first.volume == 20803700
    assert (first.currency, first.exchange) == ("USD", "XNAS")


def test_yahoo_row_of_nulls_is_no_bar() -> None:
    report = read_yahoo(answer("yahoo_chart.json"), "ACME", "P1D")
    assert date(2024, 11, 26) not in [bar.stamp for bar in report.bars]


def test_yahoo_session_under_way_sent_twice_counts_once_by_its_last_row() -> None:
    report = read_yahoo(answer("yahoo_chart.json"), "ACME", "P1D")
    assert [bar.stamp for bar in report.bars] == [date(2024, 11, 22), date(2024, 11, 25), date(2024, 11, 27)]
    assert report.bars[-1].close == Decimal("346.2")


@pytest.mark.parametrize(("volume", "close"), [("0", "346.2"), ("null", "346.2"), ("9100000", "null")])
def test_yahoo_live_row_without_volume_or_prices_leaves_the_sessions_whole_row(volume: str, close: str) -> None:
    text = recorded("yahoo_chart.json").replace("9000000,9100000", f"9000000,{volume}")
    text = text.replace("346.0,346.20001220703125]", f"346.0,{close}]", 1)
    last = read_yahoo(VendorAnswer(200, text), "ACME", "P1D").bars[-1]
    assert (last.stamp, last.close, last.volume) == (date(2024, 11, 27), 346, 9000000)


def test_yahoo_partial_null_stays_missing() -> None:
    text = recorded("yahoo_chart.json").replace("342.5799865722656", "null")
    assert read_yahoo(VendorAnswer(200, text), "ACME", "P1D").bars[0].open is None


def test_yahoo_split_adjusted_quotes_come_back_raw() -> None:
    report = read_yahoo(answer("yahoo_split.json"), "ACME", "P1D")
    before, *_, after = report.bars
    assert (before.open, before.close, before.volume) == (Decimal("1183.71"), Decimal("1224.4"), 52840200)
    assert (after.open, after.volume) == (Decimal("120.37"), 314162700)
    split, dividend = report.actions
    assert (split.kind, split.ex_date, split.value) == ("SPLIT", date(2024, 6, 10), 10)
    assert (dividend.kind, dividend.ex_date, dividend.value) == ("DIVIDEND", date(2024, 6, 6), Decimal("0.1"))


def test_yahoo_pence_become_pounds() -> None:
    text = recorded("yahoo_chart.json").replace('"USD"', '"GBp"').replace('"NMS"', '"LSE"')
    bar = read_yahoo(VendorAnswer(200, text), "ACME", "P1D").bars[0]
    assert (bar.currency, bar.exchange, bar.close) == ("GBP", "XLON", Decimal("3.4482"))


def test_yahoo_intraday_stamps_are_moments_of_opening() -> None:
    bar = read_yahoo(answer("yahoo_chart.json"), "ACME", "PT1H").bars[0]
    assert bar.stamp == datetime(2024, 11, 22, 14, 30, tzinfo=UTC)
    assert bar.stamps == "open"


def test_yahoo_range_without_data_is_an_empty_report() -> None:
    report = read_yahoo(answer("yahoo_no_data.json", 400), "ACME", "P1D")
    assert (report.bars, report.actions) == ((), ())


@pytest.mark.parametrize(("name", "status"), [("yahoo_unknown.json", 404), ("yahoo_unknown.json", 200)])
def test_yahoo_unknown_symbol_is_refused_with_the_vendors_words(name: str, status: int) -> None:
    with pytest.raises(VendorRefused, match="may be delisted"):
        read_yahoo(answer(name, status), "ACME", "P1D")


@pytest.mark.parametrize("status", [401, 403])
def test_yahoo_forbidden_is_refused(status: int) -> None:
    with pytest.raises(VendorRefused, match=str(status)):
        read_yahoo(answer("page.html", status), "ACME", "P1D")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (recorded("page.html"), "no JSON"),
        (recorded("yahoo_truncated.json"), "no JSON"),
        (recorded("yahoo_429.txt"), "limits our requests"),
        (recorded("yahoo_limited_in_200.json"), "limits our requests"),
        ("", "no JSON"),
        ("[]", "another shape"),
        ('{"chart":{"result":[],"error":null}}', "neither a result nor an error"),
        ('{"chart":{"result":[{"meta":{"symbol":"A"}}]}}', "another shape at chart.result.0"),
        (recorded("yahoo_chart.json").replace("20803700,", ""), "arrays do not match"),
        (recorded("yahoo_chart.json").replace("America/New_York", "Mars/Olympus"), "time zone"),
        (recorded("yahoo_chart.json").replace("1732285800", "99999999999999"), "another shape"),
    ],
)
def test_yahoo_nonsense_in_a_200_is_down_not_data(text: str, reason: str) -> None:
    with pytest.raises(VendorDown, match=reason):
        read_yahoo(VendorAnswer(200, text), "ACME", "P1D")


def test_yahoo_request_reaches_past_now_and_asks_for_splits() -> None:
    vendor = Vendor(httpx.Response(200, text=recorded("yahoo_chart.json")))
    source = Yahoo(vendor.web(), "http://127.0.0.1:1/", now=lambda: 2_000_000_000.0)
    source.fetch("^GSPC/X", "P1D", datetime(2024, 11, 1, tzinfo=UTC))
    url = vendor.requests[0].url
    assert url.raw_path.startswith(b"/v8/finance/chart/%5EGSPC%2FX?")
    assert url.params["period1"] == "1730419200"
    assert int(url.params["period2"]) > 2_000_000_000
    assert url.params["events"] == "div,splits"


def test_yahoo_nonsense_is_asked_again_and_then_read() -> None:
    vendor = Vendor(
        httpx.Response(200, text=recorded("page.html")), httpx.Response(200, text=recorded("yahoo_chart.json"))
    )
    assert Yahoo(vendor.web()).fetch("ACME", "P1D", None).bars


def test_yahoo_unknown_interval_is_refused() -> None:
    with pytest.raises(VendorRefused, match="P1W"):
        Yahoo(Vendor(httpx.Response(200)).web()).fetch("ACME", "P1W", None)
