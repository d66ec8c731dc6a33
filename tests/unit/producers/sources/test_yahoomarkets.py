"""Bars have the hours of the exchange that Yahoo names; one whose hours are not known is asked for."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from producers.bars import SoundBar
from producers.reports import judge_report
from producers.sessions import is_known
from producers.sources.base import ReportRefusal, VendorRefused
from producers.sources.web import VendorAnswer
from producers.sources.yahoo import read_yahoo
from producers.sources.yahoomarkets import yahoo_market_of

NOW = datetime(2025, 10, 6, tzinfo=UTC)


def chart(exchange: str | None, zone: str, stamps: list[datetime], volumes: list[int] | None = None) -> VendorAnswer:
    count = len(stamps)
    quote: dict[str, list[float] | list[int]] = {name: [10.5] * count for name in ("open", "close")}
    quote |= {"high": [11.0] * count, "low": [10.0] * count, "volume": volumes or [100] * count}
    meta = {"symbol": "X", "currency": "CNY", "exchangeTimezoneName": zone, "exchangeName": exchange}
    seconds = [int(stamp.timestamp()) for stamp in stamps]
    result = {"meta": meta, "timestamp": seconds, "indicators": {"quote": [quote]}}
    return VendorAnswer(200, json.dumps({"chart": {"result": [result], "error": None}}))


def read(answer: VendorAnswer, interval: str = "P1D") -> tuple[list[SoundBar], list[ReportRefusal]]:
    sound, refused = judge_report(read_yahoo(answer, "X", interval), "yahoo", "XNYS", None, NOW)
    return sound.closed, refused


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("exchange", "zone", "closed"),
    [
        ("SHH", "Asia/Shanghai", (7, 0)),
        ("SHZ", "Asia/Shanghai", (7, 0)),
        ("HKG", "Asia/Hong_Kong", (8, 0)),
        ("JPX", "Asia/Tokyo", (6, 30)),
        pytest.param("KOE", "Asia/Seoul", (6, 30), marks=pytest.mark.slow),  # its calendar takes 10 s
        ("TWO", "Asia/Taipei", (5, 30)),
        pytest.param("NSI", "Asia/Kolkata", (10, 0), marks=pytest.mark.slow),
        ("SAU", "Asia/Riyadh", (12, 0)),
        ("JNB", "Africa/Johannesburg", (15, 0)),
        ("STU", "Europe/Berlin", (20, 0)),
        ("IOB", "Europe/London", (15, 30)),
        ("PNK", "America/New_York", (20, 0)),
        ("NMS", "America/New_York", (20, 0)),
        ("SNP", "America/New_York", (20, 0)),
        ("WSE", "Europe/Warsaw", (15, 0)),
    ],
)
def test_daily_bar_closes_when_its_exchange_does(exchange: str, zone: str, closed: tuple[int, int]) -> None:
    [bar], refused = read(chart(exchange, zone, [local(zone, 2025, 9, 30, 10)]))
    assert bar.event.closed_at == datetime(2025, 9, 30, *closed, tzinfo=UTC)
    assert refused == []


def test_holiday_of_the_exchange_has_no_bar_whoever_trades_elsewhere() -> None:
    bars, [refusal] = read(chart("SHH", "Asia/Shanghai", [local("Asia/Shanghai", 2025, 10, 1, 9, 30)]))
    assert bars == []
    assert "2025-10-01 is no session of XSHG" in refusal.reason


def test_crypto_and_currencies_trade_at_the_weekend_or_all_night() -> None:
    sunday = [datetime(2025, 9, 28, tzinfo=UTC)]
    [bar], _ = read(chart("CCC", "UTC", sunday))
    assert (bar.event.opened_at, bar.event.closed_at) == (sunday[0], datetime(2025, 9, 29, tzinfo=UTC))
    assert bar.event.exchange is None
    [bar], _ = read(chart("CCY", "Europe/London", [local("Europe/London", 2025, 9, 29)]))  # 23:00 UTC on Sunday
    assert bar.event.closed_at == datetime(2025, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(("exchange", "mic"), [("CME", "XCME"), ("CBT", "XCBT"), ("NYM", "XNYM"), ("CMX", "XCEC")])
def test_futures_close_with_their_session_and_the_evenings_live_row_is_the_next_one(exchange: str, mic: str) -> None:
    zone = "America/New_York"
    stamps = [local(zone, 2025, 9, 29), local(zone, 2025, 9, 29, 18, 30), local(zone, 2025, 10, 5, 18, 30)]
    bars, refused = read(chart(exchange, zone, stamps, [100, 3, 5]))
    assert refused == []
    assert [(bar.event.exchange, bar.event.closed_at, bar.event.volume) for bar in bars] == [
        (mic, datetime(2025, 9, 29, 22, tzinfo=UTC), 100.0),
        (mic, datetime(2025, 9, 30, 22, tzinfo=UTC), 3.0),
    ]


def test_last_hour_of_hong_kong_closes_with_it() -> None:
    zone = "Asia/Hong_Kong"
    hours = [local(zone, 2025, 9, 30, hour, minute) for hour, minute in [(9, 30), (11, 30), (13, 0), (15, 0)]]
    bars, refused = read(chart("HKG", zone, hours), "PT1H")
    assert [bar.event.closed_at.strftime("%H:%M") for bar in bars] == ["02:30", "04:00", "06:00", "08:00"]
    assert refused == []


@pytest.mark.parametrize("exchange", ["MUN", "QQQ", "", None])
def test_exchange_whose_hours_are_not_known_is_asked_for_by_name(exchange: str | None) -> None:
    answer = chart(exchange, "Europe/Berlin", [local("Europe/Berlin", 2025, 9, 30, 8)])
    with pytest.raises(VendorRefused, match=f"'{exchange or 'unnamed'}'.*FORETICK_CALENDARS"):
        read_yahoo(answer, "X", "P1D")
    report = read_yahoo(answer, "X", "P1D", calendars={exchange or "unnamed": "XFRA"})
    assert [bar.calendar for bar in report.bars] == ["XFRA"]


def test_calendar_that_is_named_goes_before_what_is_known() -> None:
    assert yahoo_market_of("NYM", None, {"NYM": "us_futures"}).calendar == "us_futures"


def test_every_exchange_of_the_table_has_a_calendar() -> None:
    from producers.sources.yahoomarkets import _OTHERS, _SHARES

    markets = [yahoo_market_of(name, None, {}) for name in (*_SHARES, *_OTHERS)]
    assert [market for market in markets if not is_known(market.calendar or market.exchange or "")] == []
