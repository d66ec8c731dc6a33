from pathlib import Path

import pytest

from producers.catalogue import budget_of, period_of, source_from
from producers.settings import ProducerSettings
from producers.sources.base import VendorRefused


def settings(**changes: object) -> ProducerSettings:
    return ProducerSettings(_env_file=None, **changes)  # type: ignore[arg-type]


def test_symbols_are_read_from_a_comma_separated_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_SYMBOLS", " AAPL, ^GSPC,AAPL,")
    assert ProducerSettings(_env_file=None).symbols == ("AAPL", "^GSPC")  # type: ignore[call-arg]
    monkeypatch.setenv("FORETICK_SYMBOLS", ",")
    with pytest.raises(ValueError, match="at least one symbol"):
        ProducerSettings(_env_file=None)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "symbol", ["BF/B", "^GSPC", "EURUSD=X", "005930.KS", "BRK-B", "BTC/USD:USDT", "M&M.NS", ".INX"]
)
def test_symbol_as_exchanges_write_it_is_taken(symbol: str) -> None:
    assert settings(symbols=f"AAPL,{symbol}").symbols == ("AAPL", symbol)


@pytest.mark.parametrize(
    ("symbol", "told"),
    [
        ("../../etc/passwd", "is a path"),
        ("/etc/passwd", "is a path"),
        ("..", "is a path"),
        (".", "is a path"),
        ("A/../B", "is a path"),
        ("A//B", "is a path"),
        ("A/", "is a path"),
        ("~/A", "is a path"),
        ("C:\\A", "is a path"),
        ("A|P1D", "is no symbol"),
        ("A B", "is no symbol"),
        ("A\x00", "is no symbol"),
        ("A" * 33, "is no symbol"),
    ],
)
def test_symbol_that_is_a_path_or_no_symbol_at_all_is_refused(symbol: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        settings(symbols=f"AAPL,{symbol}")


def test_keys_do_not_show_when_settings_are_printed() -> None:
    shown = repr(settings(alphavantage_key="SECRETKEY", rest_key="SECRETKEY"))
    assert "SECRETKEY" not in shown


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"source": "alphavantage"}, "FORETICK_ALPHAVANTAGE_KEY"),
        ({"source": "rest"}, "FORETICK_REST_MAPPING"),
        ({"source": "csv"}, "FORETICK_CSV_PATH"),
    ],
)
def test_source_without_what_it_needs_names_the_setting(changes: dict[str, object], missing: str) -> None:
    with pytest.raises(VendorRefused, match=missing):
        source_from(settings(**changes))


def test_each_source_is_made_from_its_settings(tmp_path: Path) -> None:
    mapping = tmp_path / "vendor.yaml"
    mapping.write_text(
        "{url: 'https://v.example', items: i, fields: {time: t, open: o, high: h, low: l, close: c, volume: v}}"
    )
    given = {
        "yahoo": settings(),
        "alphavantage": settings(source="alphavantage", alphavantage_key="k"),
        "rest": settings(source="rest", rest_mapping=mapping),
        "csv": settings(source="csv", csv_path=tmp_path),
    }
    assert [source_from(each).name for each in given.values()] == list(given)


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"calendar": "NOPE"}, "FORETICK_CALENDAR: "), ({"calendars": {"MUN": "NOPE"}}, "FORETICK_CALENDARS, MUN: ")],
)
def test_calendar_that_does_not_exist_is_told_by_its_setting(changes: dict[str, object], named: str) -> None:
    with pytest.raises(VendorRefused, match=f"{named}there is no calendar 'NOPE'"):
        source_from(settings(**changes))


def test_mapping_of_an_unknown_exchange_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    mapping = tmp_path / "vendor.yaml"
    mapping.write_text(
        "{url: 'https://v.example', items: i, exchange: XMUN,"
        " fields: {time: t, open: o, high: h, low: l, close: c, volume: v}}"
    )
    with pytest.raises(VendorRefused, match="'XMUN'"):
        source_from(settings(source="rest", rest_mapping=mapping))
    assert source_from(settings(source="rest", rest_mapping=mapping, calendars={"XMUN": "XFRA"})).name == "rest"


def test_vendor_far_away_has_a_budget_and_the_polling_keeps_to_it() -> None:
    assert budget_of(settings()) == (60, 0)
    assert period_of(settings(symbols="A,B,C,D,E")) == pytest.approx(5.5)
    free = settings(source="alphavantage", alphavantage_key="k")
    assert period_of(free) == pytest.approx(5 * 86_400 / 25 * 1.1)


def test_vendor_on_this_machine_has_none_unless_set() -> None:
    here = settings(yahoo_url="http://127.0.0.1:8010")
    assert (budget_of(here), period_of(here)) == ((0, 0), 1.0)
    assert budget_of(settings(yahoo_url="http://127.0.0.1:8010", vendor_per_minute=9)) == (9, 0)
