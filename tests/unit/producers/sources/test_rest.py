from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from producers.sources import mappings
from producers.sources.base import VendorDown, VendorRefused, WrongSetting
from producers.sources.mappings import Mapping, find, load_mapping
from producers.sources.rest import Rest, read_rest
from producers.sources.web import VendorAnswer
from tests.support.vendors import NOW, Vendor, answer, recorded

FIELDS = {"time": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
AGGREGATES: dict[str, Any] = {
    "url": "https://vendor.example/v2/aggs/{symbol}/{interval}/{since}/{now}",
    "params": {"apiKey": "{key}", "limit": "50"},
    "headers": {"Authorization": "Bearer {key}"},
    "intervals": {"P1D": "day", "PT1H": "hour"},
    "items": "results",
    "fields": FIELDS,
    "time": {"format": "epoch_ms"},
    "error": "error",
    "next": "next_url",
    "splits": {"items": "splits", "fields": {"date": "ex", "numerator": "to", "denominator": "from"}},
    "dividends": {"items": "dividends", "fields": {"date": "ex", "amount": "cash"}},
}
EXAMPLES = Path(mappings.__file__).parent / "examples"
KEYED = {
    "url": "https://vendor.example/{symbol}",
    "items": "data.bars",
    "fields": {"time": "$key", "open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume"},
}


def mapping(**changes: Any) -> Mapping:
    return Mapping.model_validate(AGGREGATES | changes)


def source(vendor: Vendor, **changes: Any) -> Rest:
    return Rest(vendor.web(), mapping(**changes), SecretStr("SECRETKEY"), lambda: NOW)


def test_rest_pages_are_followed_with_the_key() -> None:
    vendor = Vendor(
        httpx.Response(200, text=recorded("rest_aggregates.json")),
        httpx.Response(200, text=recorded("rest_last_page.json").replace('"status"', '"next_url": null, "status"')),
    )
    report = source(vendor).fetch("AC/ME", "P1D", datetime(2023, 1, 9, tzinfo=UTC))
    assert [bar.stamp for bar in report.bars] == [date(2023, 1, 9), date(2023, 1, 10), date(2023, 1, 11)]
    first, second = (request.url for request in vendor.requests)
    assert first.raw_path == b"/v2/aggs/AC%2FME/day/2023-01-09/2024-12-02?apiKey=SECRETKEY&limit=50"
    assert dict(second.params) == {"cursor": "abc", "apiKey": "SECRETKEY"}
    assert vendor.requests[1].headers["authorization"] == "Bearer SECRETKEY"


def test_rest_symbol_that_names_a_word_is_not_filled_in_again() -> None:
    vendor = Vendor(httpx.Response(200, text=recorded("rest_last_page.json")))
    source(vendor, params={"symbol": "{symbol}", "other": "{word}"}).fetch("{key}", "P1D", None)
    (request,) = vendor.requests
    assert dict(request.url.params) == {"symbol": "{key}", "other": "{word}"}


def test_rest_actions_read_beside_the_bars() -> None:
    report, following = read_rest(answer("rest_last_page.json"), mapping(), "ACME", "P1D")
    assert following is None
    assert [(action.kind, action.ex_date, action.value) for action in report.actions] == [
        ("SPLIT", date(2023, 1, 11), 4),
        ("DIVIDEND", date(2023, 1, 10), Decimal("0.23")),
    ]


@pytest.mark.parametrize(
    ("splits", "told"),
    [
        ("null", None),
        ("[]", None),
        ("{}", None),
        ('"none"', "no list of objects"),
        ('[{"ex": "2023-01-11", "to": 4, "from": 0}]', "4 new shares for 0 are no split"),
        ('[{"ex": "2023-01-11", "to": 4}]', "4 new shares for None are no split"),
        ('[{"ex": "2023-01-11", "to": 1e400, "from": 1}]', "are no split"),
        ('[{"ex": "soon", "to": 4, "from": 1}]', "unreadable split"),
        ('[{"to": 4, "from": 1}]', "unreadable split"),
        ("[null]", "no object"),
    ],
)
def test_rest_bad_split_is_refused_alone(splits: str, told: str | None) -> None:
    bar = '{"t": 1673361000000, "o": 1, "h": 2, "l": 1, "c": 2, "v": 5}'
    text = f'{{"results": [{bar}], "splits": {splits}, "dividends": [{{"ex": "2023-01-10", "cash": 0.23}}]}}'
    report, _ = read_rest(VendorAnswer(200, text), mapping(), "ACME", "P1D")
    assert len(report.bars) == 1
    assert [(action.kind, action.value) for action in report.actions] == [("DIVIDEND", Decimal("0.23"))]
    assert [told in refusal.reason for refusal in report.refusals if told] == ([True] if told else [])
    assert bool(report.refusals) is bool(told)


def test_rest_bar_that_is_no_object_is_refused_alone() -> None:
    text = '{"results": [null, {"t": 1673361000000, "o": 1, "h": 2, "l": 1, "c": 2, "v": 5}]}'
    report, _ = read_rest(VendorAnswer(200, text), mapping(), "ACME", "P1D")
    assert (len(report.bars), [refusal.at for refusal in report.refusals]) == (1, ["results.0"])


@pytest.mark.parametrize(
    ("told", "expected"),
    [("null", ("0.205", "USD")), ('"EUR"', ("0.205", "EUR")), ('"GBp"', ("0.00205", "GBP"))],
)
def test_rest_dividend_is_in_its_own_currency_where_the_mapping_names_one(told: str, expected: tuple[str, str]) -> None:
    text = f'{{"results": [], "dividends": [{{"ex": "2023-01-10", "cash": 0.205, "in": {told}}}]}}'
    fields = {"date": "ex", "amount": "cash", "currency": "in"}
    report, _ = read_rest(
        VendorAnswer(200, text), mapping(dividends={"items": "dividends", "fields": fields}), "ACME", "P1D"
    )
    [action] = report.actions
    assert (str(action.value), action.currency) == expected


def test_rest_sessions_that_tell_of_no_action_are_no_refusal() -> None:
    text = '{"results": [], "dividends": [{"ex": "2023-01-10", "cash": 0}, {"ex": "2023-01-11", "cash": null}]}'
    report, _ = read_rest(VendorAnswer(200, text), mapping(), "ACME", "P1D")
    assert (report.actions, report.refusals) == ([], [])


def test_rest_numbers_stay_decimals() -> None:
    report, _ = read_rest(answer("rest_aggregates.json"), mapping(), "ACME", "P1D")
    assert report.bars[1].high == Decimal("131.2636")
    assert report.bars[1].volume == Decimal("63896155.5")


def test_rest_vwap_and_trades_are_read_where_the_mapping_names_them() -> None:
    named = mapping(fields=FIELDS | {"vwap": "vw", "trades": "n"})
    report, _ = read_rest(answer("rest_aggregates.json"), named, "ACME", "P1D")
    assert [(bar.vwap, bar.trades) for bar in report.bars] == [
        (Decimal("131.6292"), 645365),
        (Decimal("129.822"), 554940),
    ]
    report, _ = read_rest(answer("rest_aggregates.json"), mapping(), "ACME", "P1D")
    assert {(bar.vwap, bar.trades) for bar in report.bars} == {(None, None)}


def test_rest_object_keyed_by_date_reads_as_bars() -> None:
    report, _ = read_rest(answer("rest_keyed.json"), Mapping.model_validate(KEYED), "ACME", "P1D")
    assert [bar.stamp for bar in report.bars] == [date(2023, 1, 10), date(2023, 1, 11)]


def test_rest_bar_of_a_time_that_no_zone_can_tell_is_refused_and_costs_no_other() -> None:
    far = answer("rest_keyed.json").text.replace("2023-01-11", "9999-12-31T23:00:00-05:00")
    for text in (far, far.replace("9999-12-31T23:00:00-05:00", "0001-01-01T00:00:00+05:00")):
        report, _ = read_rest(VendorAnswer(200, text), Mapping.model_validate(KEYED), "ACME", "P1D")
        assert ([bar.stamp for bar in report.bars], len(report.refusals)) == ([date(2023, 1, 10)], 1)


@pytest.mark.parametrize(
    "address",
    [
        "https://thief.example",
        "http://vendor.example",
        "https://vendor.example:8443",
        "https://thief@vendor.example",
        "ftp://vendor.example",
        "//thief.example",
        "https://vendor.example:port",
        "https://[vendor.example",
    ],
)
def test_rest_next_page_on_another_server_is_not_followed(address: str) -> None:
    text = recorded("rest_aggregates.json").replace("https://vendor.example", address)
    vendor = Vendor(httpx.Response(200, text=text))
    with pytest.raises(VendorDown, match="the next page"):
        source(vendor).fetch("ACME", "P1D", None)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("address", ["https://vendor.example:443", "https://VENDOR.example", ""])
def test_rest_next_page_on_the_same_server_is_followed_however_it_is_written(address: str) -> None:
    text = recorded("rest_aggregates.json").replace("https://vendor.example", address)
    last = httpx.Response(200, json={"status": "OK", "results": []})
    vendor = Vendor(httpx.Response(200, text=text), last)
    source(vendor).fetch("ACME", "P1D", None)
    assert len(vendor.requests) == 2


def test_rest_pages_in_a_circle_end() -> None:
    vendor = Vendor(httpx.Response(200, text=recorded("rest_aggregates.json")))
    with pytest.raises(VendorDown, match="pages"):
        source(vendor).fetch("ACME", "P1D", None)


def test_rest_error_inside_a_200_is_down() -> None:
    with pytest.raises(VendorDown, match="exceeded the maximum requests"):
        read_rest(answer("rest_error_in_200.json"), mapping(), "ACME", "P1D")


def test_rest_client_error_is_refused() -> None:
    with pytest.raises(VendorRefused, match="403"):
        read_rest(answer("rest_error_in_200.json", 403), mapping(), "ACME", "P1D")


@pytest.mark.parametrize(
    ("text", "status"), [('{"error": "Unknown API Key"}', 401), ('{"error": "Invalid API key"}', 200), ("who?", 401)]
)
def test_rest_wrong_key_stops_the_source_with_the_setting_to_mend(text: str, status: int) -> None:
    with pytest.raises(WrongSetting, match="FORETICK_REST_KEY"):
        read_rest(VendorAnswer(status, text), mapping(), "ACME", "P1D")


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"results": 5}', '{"results": [1]}', recorded("page.html")])
def test_rest_nonsense_in_a_200_is_down(text: str) -> None:
    with pytest.raises(VendorDown):
        read_rest(VendorAnswer(200, text), mapping(), "ACME", "P1D")


def test_rest_answer_without_items_is_empty_where_the_mapping_says_so() -> None:
    report, _ = read_rest(VendorAnswer(200, '{"resultsCount": 0}'), mapping(items_optional=True), "ACME", "P1D")
    assert not report.bars


def test_rest_unreadable_time_refuses_that_bar_alone() -> None:
    text = recorded("rest_aggregates.json").replace("1673240400000", '"noon"')
    report, _ = read_rest(VendorAnswer(200, text), mapping(), "ACME", "P1D")
    assert len(report.bars) == 1
    assert "noon" in report.refusals[0].reason


@pytest.mark.parametrize(
    ("time", "value", "expected"),
    [
        ({"format": "epoch_s"}, 1673361000, datetime(2023, 1, 10, 14, 30, tzinfo=UTC)),
        ({"format": "iso"}, "2023-01-10T09:30:00-05:00", datetime(2023, 1, 10, 14, 30, tzinfo=UTC)),
        ({"format": "iso"}, "2023-01-10T09:30:00", datetime(2023, 1, 10, 14, 30, tzinfo=UTC)),
        ({"format": "%d.%m.%Y %H:%M", "zone": "UTC"}, "10.01.2023 14:30", datetime(2023, 1, 10, 14, 30, tzinfo=UTC)),
    ],
)
def test_mapping_time_reads_each_format(time: dict[str, str], value: object, expected: datetime) -> None:
    assert mapping(time=time).time.read(value, "PT1H") == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("url: [", "cannot be read"),
        ("url: x", "fields: Field required"),
        ("just text", "wrong"),
        ("{url: u, items: i, fields: {time: t, open: o, high: h, low: l, close: c, volume: v}, typo: 1}", "typo"),
        ("{url: u, items: i, fields: {}, time: {zone: Mars/Olympus}}", "Mars/Olympus"),
        ("{url: u, items: i, fields: {}, splits: {items: s, fields: {date: d}}}", "either ratio"),
    ],
)
def test_mapping_that_is_wrong_says_where(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "vendor.yaml"
    file.write_text(text)
    with pytest.raises(VendorRefused, match=problem):
        load_mapping(file)


def test_mapping_of_the_documentation_is_valid(tmp_path: Path) -> None:
    from producers.sources import mappings

    example = "\n".join(line for line in (mappings.__doc__ or "").splitlines() if line.startswith("    "))
    file = tmp_path / "vendor.yaml"
    file.write_text(example)
    assert load_mapping(file).items == "data.bars"


@pytest.mark.parametrize(
    ("example", "answered", "closes"),
    [
        ("aggregates", "rest_aggregates.json", ["130.15", "130.73"]),
        ("keyed", "rest_keyed.json", ["130.73", "133.49"]),
    ],
)
def test_example_mapping_reads_an_answer_of_its_shape(example: str, answered: str, closes: list[str]) -> None:
    read = load_mapping(EXAMPLES / f"{example}.yaml")
    report, _ = read_rest(answer(answered), read, "ACME", "P1D")
    assert [bar.close for bar in report.bars] == [Decimal(close) for close in closes]
    assert not report.refusals


def test_path_finds_names_and_positions() -> None:
    document = {"a": [{"b": 1}]}
    assert find(document, "a.0.b") == 1
    assert find(document, "a.1.b") is None
    assert find(document, "a.b") is None


BAR = '{"t": 1673361000000, "o": "10,50", "h": "11,00", "l": "9,50", "c": "10,75", "v": "%s"}'


def test_rest_numbers_in_quotes_are_read_as_their_column_shows() -> None:
    report, _ = read_rest(VendorAnswer(200, f'{{"results": [{BAR % "1.234"}]}}'), mapping(), "ACME", "P1D")
    assert (report.bars[0].open, report.bars[0].volume) == (Decimal("10.5"), 1234)


def test_rest_numbers_that_may_be_thousands_are_asked_for_and_read_as_the_mapping_says() -> None:
    text = '{"results": [{"t": 1673361000000, "o": "1,234", "h": "1,300", "l": "1,200", "c": "1,250", "v": 5}]}'
    with pytest.raises(VendorRefused, match="decimal in the mapping"):
        read_rest(VendorAnswer(200, text), mapping(), "ACME", "P1D")
    report, _ = read_rest(VendorAnswer(200, text), mapping(decimal="."), "ACME", "P1D")
    assert report.bars[0].open == 1234
    report, _ = read_rest(VendorAnswer(200, text), mapping(decimal=","), "ACME", "P1D")
    assert report.bars[0].open == Decimal("1.234")
