"""What of a report is published: one bar for each bar, one action for each action, and no sound part lost."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.events import BarClosed, CorporateActionAnnounced
from producers.actions import KnownAction, action_key
from producers.bars import KnownBar
from producers.reports import Sound, judge_report, refuse_readjustment
from producers.sources.base import Report, ReportRefusal, VendorAction, VendorBar, VendorDown
from producers.sources.csvfile import CsvFiles

NOW = datetime(2026, 11, 29, tzinfo=UTC)
DAY = date(2026, 11, 24)
NAMES = ("open", "high", "low", "close", "volume")
WHOLE = "10 11 9 10.5 1200"


def row(text: str, stamp: date | datetime = DAY, interval: str = "P1D") -> VendorBar:
    """Return a bar of five numbers; `-` for one that the vendor leaves out."""
    values = {name: None if part == "-" else Decimal(part) for name, part in zip(NAMES, text.split(), strict=True)}
    return VendorBar(symbol="ACME", interval=interval, stamp=stamp, currency="USD", **values)


def read(report: Report) -> tuple[Sound, list[ReportRefusal]]:
    return judge_report(report, "csv", "XNYS", None, NOW)


def closes(*rows: VendorBar) -> list[float]:
    return [bar.event.close for bar in read(Report(bars=rows))[0].closed]


def test_bar_told_twice_in_a_file_is_published_once_and_no_look_revises_it(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(
        "date,open,high,low,close,volume\n2026-11-24,10,11,9,10,1000\n2026-11-24,10,11,9,10.5,1200\n"
    )
    sound, refused = read(CsvFiles(tmp_path).fetch("ACME", "P1D", None))
    _, news = sound.news({}, {})
    assert [(bar.close, bar.volume, bar.revision) for bar in news] == [(10.5, 1200.0, 0)]
    assert refused == []
    known = {bar.closed_at: KnownBar.of(bar) for bar in news}
    again, _ = read(CsvFiles(tmp_path).fetch("ACME", "P1D", None))
    assert again.news({}, known) == ([], [])


@pytest.mark.parametrize(
    "live",
    [
        "10.7 10.7 10.7 10.7 0",  # a quote
        "- - - 10.7 300",  # a close alone
        "- - - - -",
        "10 11 9 10.7 -",
        "10 11 9 NaN 1200",
        "10 11 9.5 10.7 0",
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_live_row_never_displaces_the_whole_row_of_its_session(live: str, last: bool) -> None:
    rows = [row(WHOLE), row(live)] if last else [row(live), row(WHOLE)]
    assert closes(*rows) == [10.5]


def test_live_row_beside_a_whole_one_is_no_refusal_and_alone_it_is_one() -> None:
    live = row("- - - 10.7 -")
    assert read(Report(bars=(row(WHOLE), live)))[1] == []
    [refusal] = read(Report(bars=(live,)))[1]
    assert "missing: open, high, low, volume" in refusal.reason


def test_broken_row_is_told_and_the_sound_one_of_its_session_published() -> None:
    sound, refused = read(Report(bars=(row(WHOLE), row("10 9 11 10.7 1300"))))
    assert [bar.event.close for bar in sound.closed] == [10.5]
    assert len(refused) == 1


def test_rows_of_a_market_without_volume_count_by_the_last() -> None:
    assert closes(row("1.1 1.2 1.0 1.1 0"), row("1.1 1.2 1.0 1.15 0")) == [1.15]
    assert closes(row("1.1 1.2 1.0 1.1 0"), row("1.17 1.17 1.17 1.17 0")) == [1.1]


def test_bar_told_by_its_date_and_by_moments_is_one_bar() -> None:
    moments = [datetime(2026, 11, 24, 14, 30, tzinfo=UTC), datetime(2026, 11, 24, 20, 59, 58, tzinfo=UTC)]
    assert closes(row("10 11 9 10 1000"), *(row(WHOLE, moment) for moment in moments)) == [10.5]


def test_hour_under_way_stamped_by_its_last_trade_is_its_hour() -> None:
    hour = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    rows = [row(WHOLE, hour, "PT1H"), row("10.7 10.7 10.7 10.7 0", hour + timedelta(minutes=17), "PT1H")]
    assert closes(*rows) == [10.5]


@pytest.mark.parametrize("live", ["10.7 10.7 10.7 10.7 0", "10.6 10.8 10.5 10.7 0"])
def test_bar_that_the_log_holds_whole_is_not_revised_by_a_quote(live: str) -> None:
    _, news = read(Report(bars=(row(WHOLE),)))[0].news({}, {})
    known = {bar.closed_at: KnownBar.of(bar) for bar in news}
    assert read(Report(bars=(row(live),)))[0].news({}, known) == ([], [])


def test_quote_that_the_log_holds_is_revised_by_the_whole_bar() -> None:
    _, news = read(Report(bars=(row("10.7 10.7 10.7 10.7 0"),)))[0].news({}, {})
    known = {bar.closed_at: KnownBar.of(bar) for bar in news}
    _, revised = read(Report(bars=(row(WHOLE),)))[0].news({}, known)
    assert [(bar.close, bar.revision) for bar in revised] == [(10.5, 1)]


def dividend(value: str) -> VendorAction:
    return VendorAction(symbol="ACME", kind="DIVIDEND", ex_date=DAY, value=Decimal(value), currency="USD")


def split(value: str, day: date = DAY) -> VendorAction:
    return VendorAction(symbol="ACME", kind="SPLIT", ex_date=day, value=Decimal(value))


def published(report: Report) -> list[CorporateActionAnnounced]:
    return read(report)[0].news({}, {})[0]


def test_action_told_twice_is_published_once_and_no_look_revises_it() -> None:
    report = Report(actions=(dividend("0.25"), split("2"), dividend("0.25"), split("2")))
    news = published(report)
    assert [(action.kind, action.revision) for action in news] == [("DIVIDEND", 0), ("SPLIT", 0)]
    assert read(report)[1] == []
    known = {action_key(action): KnownAction.of(action) for action in news}
    assert read(report)[0].news(known, {}) == ([], [])


def test_action_told_twice_and_differently_is_the_last_and_the_other_is_told() -> None:
    report = Report(actions=(dividend("0.25"), dividend("1.5")))
    assert [action.amount for action in published(report)] == [1.5]
    [refusal] = read(report)[1]
    assert "0.25" in refusal.reason
    assert "1.5" in refusal.reason


def test_events_of_one_report_have_ids_of_their_own() -> None:
    rows = [row(WHOLE), row("10 11 9 10 1000"), row(WHOLE, date(2026, 11, 25))]
    actions, bars = read(Report(rows, (dividend("1"), dividend("2"), split("2"))))[0].news({}, {})
    events: list[BarClosed | CorporateActionAnnounced] = [*actions, *bars]
    assert len({event.event_id for event in events}) == len(events) == 4


def hour(text: str, *parts: int, exchange: str | None = None, interval: str = "PT1H") -> VendorBar:
    return replace(row(text, datetime(*parts, tzinfo=UTC), interval), exchange=exchange)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("last", "after", "exchange", "interval"),
    [
        ((2026, 11, 24, 20, 30), (2026, 11, 24, 21), None, "PT1H"),  # at the end
        ((2026, 11, 24, 20, 30), (2026, 11, 24, 21, 0, 2), None, "PT1H"),  # stamped by the last trade
        ((2026, 11, 24, 20, 59), (2026, 11, 24, 21, 0, 2), None, "PT1M"),
        ((2026, 11, 27, 17, 30), (2026, 11, 27, 18), None, "PT1H"),  # an early close
        ((2026, 11, 24, 7), (2026, 11, 24, 8, 8), "XHKG", "PT1H"),  # a closing auction
        ((2026, 11, 24, 3, 30), (2026, 11, 24, 4), "XHKG", "PT1H"),  # before the lunch break
        ((2026, 11, 24, 16), (2026, 11, 24, 16, 35), "XLON", "PT1H"),
    ],
)
@pytest.mark.parametrize("told", ["10.6 10.6 10.6 10.6 0", "10.6 10.6 10.6 10.6 -", "- - - 10.6 0"])
def test_closing_print_belongs_to_the_last_bar_and_is_no_refusal(
    last: tuple[int, ...], after: tuple[int, ...], exchange: str | None, interval: str, told: str
) -> None:
    rows = [hour(WHOLE, *last, exchange=exchange, interval=interval)]
    rows.append(hour(told, *after, exchange=exchange, interval=interval))
    sound, refused = read(Report(bars=rows))
    assert [(bar.event.opened_at, bar.event.close) for bar in sound.closed] == [(rows[0].stamp, 10.5)]
    assert refused == []


def test_closing_print_alone_is_the_last_bar_until_the_whole_one_comes() -> None:
    sound, _ = read(Report(bars=(hour("10.6 10.6 10.6 10.6 0", 2026, 11, 24, 21),)))
    [bar] = sound.news({}, {})[1]
    assert (bar.opened_at.hour, bar.closed_at.hour) == (20, 21)
    known = {bar.closed_at: KnownBar.of(bar)}
    sound, _ = read(Report(bars=(hour(WHOLE, 2026, 11, 24, 20, 30),)))
    assert [(bar.revision, bar.volume) for bar in sound.news({}, known)[1]] == [(1, 1200.0)]


@pytest.mark.parametrize(
    ("told", "stamp"),
    [
        (WHOLE, (2026, 11, 24, 21)),  # trading after hours
        ("10.6 10.6 10.6 10.6 0", (2026, 11, 24, 23)),
        ("10.6 10.6 10.6 10.6 0", (2026, 11, 24, 13)),
    ],
)
def test_row_outside_the_session_that_is_no_closing_print_is_refused(told: str, stamp: tuple[int, ...]) -> None:
    sound, [refusal] = read(Report(bars=(hour(told, *stamp),)))
    assert sound.closed == []
    assert "outside every session" in refusal.reason


def test_print_between_two_sessions_that_follow_one_another_is_the_next_ones() -> None:
    midnight = hour("10.6 10.6 10.6 10.6 0", 2026, 11, 24, 0, exchange="24/7")
    [bar] = read(Report(bars=(midnight,)))[0].closed
    assert bar.event.opened_at == midnight.stamp


def series(*closes: str) -> list[VendorBar]:
    """Return bars of the sessions from 2026-11-16 on, each at one price."""
    days = [date(2026, 11, day) for day in (16, 17, 18, 19, 20, 23, 24)]
    return [row(f"{close} {close} {close} {close} 100", day) for close, day in zip(closes, days, strict=False)]


def held_back(report: Report, known: dict[datetime, KnownBar] | None = None) -> str | None:
    try:
        refuse_readjustment("ACME", known or {}, read(report)[0])
    except VendorDown as error:
        return str(error)
    return None


PENCE = ("1020", "1010", "1030", "1040", "1035", "10.30", "10.45")


@pytest.mark.parametrize("closes", [PENCE, PENCE[::-1], ("10", "1010", "10.1"), ("10", "10.1", "1250")])
def test_series_that_goes_over_to_another_unit_is_held_back(closes: tuple[str, ...]) -> None:
    told = held_back(Report(bars=series(*closes)))
    assert told is not None
    assert "another unit" in told
    assert "FORETICK_ACCEPT_READJUSTMENT" in told


@pytest.mark.parametrize("closes", [("10", "14", "7", "21"), ("10", "100", "99"), ("1",)])
def test_series_that_moves_as_prices_do_is_not_held_back(closes: tuple[str, ...]) -> None:
    assert held_back(Report(bars=series(*closes))) is None


def test_series_that_a_split_moves_a_hundredfold_is_not_held_back() -> None:
    bars = series("10", "1000", "1010")
    assert held_back(Report(bars, (split("0.01", date(2026, 11, 17)),))) is None
    assert held_back(Report(bars, (split("0.01", date(2026, 11, 18)),))) is not None


def test_change_of_unit_that_was_accepted_once_is_not_held_back_again() -> None:
    report = Report(bars=series(*PENCE))
    known = {bar.closed_at: KnownBar.of(bar) for bar in read(report)[0].news({}, {})[1]}
    assert held_back(report, known) is None


def test_part_of_a_known_history_that_is_told_in_another_unit_is_held_back() -> None:
    before = Report(bars=series("1020", "1010", "1030", "1040", "1035", "1030", "1045"))
    known = {bar.closed_at: KnownBar.of(bar) for bar in read(before)[0].news({}, {})[1]}
    assert held_back(before, known) is None
    assert held_back(Report(bars=series(*PENCE)), known) is not None
    assert held_back(Report(bars=series(*PENCE)[5:]), known) is not None
