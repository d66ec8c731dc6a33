from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import BarClosed
from producers import bars
from producers.bars import KnownBar, SoundBar, decide, judge, looks_misadjusted, payload_sha256
from producers.sources.base import ReportRefusal, VendorBar

AFTER = datetime(2012, 2, 1, tzinfo=UTC)
DAYS = [date(2012, 1, day) for day in (3, 4, 5, 6, 9, 10, 11, 12)]


def vendor_bar(day: date = DAYS[0], close: str = "10.5", **changes: object) -> VendorBar:
    texts = {"open": "10", "high": "9999", "low": "0.01", "close": close}
    values = {name: Decimal(text) for name, text in texts.items()}
    bar = VendorBar(symbol="ACME", interval="P1D", stamp=day, **values, volume=Decimal(100), currency="USD")
    return replace(bar, **changes)  # type: ignore[arg-type]


def sound(bar: VendorBar, now: datetime = AFTER) -> SoundBar:
    found = judge(bar, "yahoo", "XNYS", now)
    assert isinstance(found, SoundBar)
    return found


def test_judge_sound_bar_becomes_an_event_at_its_session() -> None:
    event = sound(vendor_bar(exchange="XNAS")).event
    assert event.opened_at == datetime(2012, 1, 3, 14, 30, tzinfo=UTC)
    assert event.closed_at == datetime(2012, 1, 3, 21, tzinfo=UTC)
    assert (event.open, event.close, event.volume, event.revision) == (10.0, 10.5, 100.0, 0)
    assert (event.exchange, event.source, event.recorded_at) == ("XNAS", "yahoo", AFTER)


def test_judge_bar_still_open_is_left_for_later() -> None:
    assert judge(vendor_bar(close="-1"), "yahoo", "XNYS", datetime(2012, 1, 3, 20, 59, tzinfo=UTC)) is None
    assert judge(vendor_bar(), "yahoo", "XNYS", datetime(2012, 1, 3, 21, tzinfo=UTC)) is not None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"open": None, "volume": None}, "missing: open, volume"),
        ({"currency": ""}, "missing: currency"),
        ({"close": Decimal("NaN")}, "close nan"),
        ({"close": Decimal("NaN")}, "(close: not written as a number"),
        ({"high": Decimal(5)}, "high 5.0 is below open 10.0"),
        ({"low": Decimal(0)}, "low 0.0 is not a positive"),
        ({"volume": Decimal(-1)}, "volume -1.0"),
        ({"open": Decimal("1E400")}, "open inf"),
        ({"vwap": Decimal("-1")}, "vwap -1.0 is not a positive"),
        ({"trades": Decimal("12.5")}, "trades 12.5 is not a whole number"),
        ({"trades": Decimal("1E30")}, "is not a count"),
        ({"low": Decimal("-40.32"), "close": Decimal("-37.63")}, "a price at or below zero"),  # oil, in April 2020
        ({"open": Decimal(0), "high": Decimal(0), "low": Decimal(0), "close": Decimal(0)}, "a price at or below zero"),
    ],
)
def test_judge_broken_bar_is_refused_with_symbol_time_and_reason(changes: dict[str, object], reason: str) -> None:
    refusal = judge(vendor_bar(**changes), "yahoo", "XNYS", AFTER)
    assert isinstance(refusal, ReportRefusal)
    assert (refusal.symbol, refusal.at) == ("ACME", "2012-01-03T21:00:00Z")
    assert reason in refusal.reason


def test_judge_day_without_session_is_refused() -> None:
    refusal = judge(vendor_bar(date(2012, 1, 1)), "yahoo", "XNYS", AFTER)
    assert refusal == ReportRefusal("ACME", "2012-01-01", "2012-01-01 is no session of XNYS")


def test_judge_bar_of_an_unknown_exchange_is_refused_and_by_a_named_calendar_sound() -> None:
    refusal = judge(vendor_bar(exchange="XXXX"), "csv", "XNYS", AFTER)
    assert isinstance(refusal, ReportRefusal)
    assert "'XXXX'" in refusal.reason
    event = sound(vendor_bar(exchange="XXXX", calendar="XLON")).event
    assert (event.exchange, event.closed_at) == ("XXXX", datetime(2012, 1, 3, 16, 30, tzinfo=UTC))


def test_payload_hash_does_not_depend_on_how_a_number_is_written() -> None:
    assert payload_sha256([Decimal("10.50"), Decimal("1E+2")]) == payload_sha256([Decimal("10.5"), Decimal(100)])
    assert payload_sha256([Decimal("10.51")]) != payload_sha256([Decimal("10.5")])
    assert payload_sha256([Decimal("0.00")]) == payload_sha256([Decimal(0)])


def test_decide_new_bar_is_revision_0_and_known_bar_is_silent() -> None:
    bar = sound(vendor_bar())
    assert decide({}, bar) == bar.event
    assert decide({bar.event.closed_at: KnownBar.of(bar.event)}, bar) is None


def test_decide_changed_content_is_the_next_revision() -> None:
    known = {sound(vendor_bar()).event.closed_at: replace(KnownBar.of(sound(vendor_bar()).event), revision=4)}
    changed = decide(known, sound(vendor_bar(close="10.51")))
    assert changed is not None
    assert (changed.revision, changed.close) == (5, 10.51)


@pytest.mark.parametrize(("close", "published"), [("10.5004", False), ("10.51", True)])
def test_decide_difference_within_the_vendors_rounding_is_no_change(close: str, published: bool) -> None:
    bar = sound(vendor_bar())
    known = {bar.event.closed_at: KnownBar.of(bar.event)}
    again = sound(vendor_bar(close=close, price_noise=Decimal("0.0005")))
    assert bool(decide(known, again)) is published


def test_decide_volume_within_a_reverse_splits_rounding_is_no_change() -> None:
    bar = sound(vendor_bar())
    known = {bar.event.closed_at: KnownBar.of(bar.event)}
    assert decide(known, sound(vendor_bar(volume=Decimal(109), volume_noise=Decimal("15.5")))) is None
    assert decide(known, sound(vendor_bar(volume=Decimal(120), volume_noise=Decimal("15.5")))) is not None


@pytest.mark.parametrize(
    ("before", "now", "revision"),
    [
        ({}, {"vwap": "10.4", "trades": "7"}, None),  # the source begins to tell them, or our mapping to read them
        ({"vwap": "10.4", "trades": "7"}, {}, None),
        ({"vwap": "10.4"}, {"trades": "7"}, None),
        ({"vwap": "10.4", "trades": "7"}, {"vwap": "10.40", "trades": "7.0"}, None),
        ({"vwap": "10.4", "trades": "7"}, {"vwap": "10.5", "trades": "7"}, 1),
        ({"vwap": "10.4", "trades": "7"}, {"vwap": "10.4", "trades": "8"}, 1),
    ],
)
def test_decide_vwap_or_trades_are_a_correction_only_where_both_reports_tell_them(
    before: dict[str, str], now: dict[str, str], revision: int | None
) -> None:
    old, new = (sound(vendor_bar(**{name: Decimal(text) for name, text in told.items()})) for told in (before, now))
    event = decide({old.event.closed_at: KnownBar.of(old.event)}, new)
    assert (event.revision if event else None) == revision


def test_payload_hash_of_a_bar_without_vwap_and_trades_is_that_of_the_first_schema_version() -> None:
    first = sha256(b"10|9999|0.01|10.5|100").hexdigest()  # as published ever since
    assert sound(vendor_bar()).event.payload_sha256 == first
    assert sound(vendor_bar(vwap=Decimal("10.4"))).event.payload_sha256 != first


def test_judge_vwap_of_nothing_traded_is_not_told() -> None:
    event = sound(vendor_bar(volume=Decimal(0), vwap=Decimal(0), trades=Decimal(0))).event
    assert (event.vwap, event.trades) == (None, 0)


@pytest.mark.parametrize(
    ("closes", "factor"),
    [
        (["5.25"] * 5, 0.5),
        (["21"] * 4 + ["10.5"], 2.0),
        (["10.5"] * 5, None),
        (["10.6"] * 5, None),  # small corrections of every bar
        (["5.25", "5.25", "10.5", "10.5", "10.5"], None),
        (["5.25", "30", "2.5", "10.5", "21"], None),  # great ones, but not by one factor
        (["1050", "1051"], 100.1),  # all that is known of it, in another unit
        (["21", "21"], None),
        (["10.5", "10.5", "10.5", "10.5", "10.5", "10.5", "1051", "1050"], 100.0),  # from one session on
        (["10.5", "10.5", "1051", "10.5"], None),  # one bar is corrected
    ],
)
def test_looks_misadjusted_tells_a_rescaled_history_from_corrections(closes: list[str], factor: float | None) -> None:
    known = {}
    for day in DAYS:
        event = sound(vendor_bar(day)).event
        known[event.closed_at] = KnownBar.of(event)
    found = looks_misadjusted(known, [sound(vendor_bar(day, close)) for day, close in zip(DAYS, closes, strict=False)])
    assert found == (factor if factor is None else pytest.approx(factor, rel=0.01))


# One poll: up to which session the market has come, from which one the vendor is asked, and what it then says of a few.
polls = st.lists(
    st.tuples(
        st.integers(0, len(DAYS)),
        st.integers(0, len(DAYS)),
        st.dictionaries(st.integers(0, len(DAYS) - 1), st.sampled_from(["10.5", "11", "11.25"]), max_size=2),
    ),
    max_size=12,
)


@given(polls)
def test_polling_any_number_of_times_in_any_overlap_publishes_each_content_once(
    polls: list[tuple[int, int, dict[int, str]]],
) -> None:
    said = dict.fromkeys(range(len(DAYS)), "10.5")  # what the vendor says of each session
    told: dict[int, list[float]] = {place: [] for place in said}  # what a poll has seen, without repetitions
    known: dict[datetime, KnownBar] = {}
    published: list[BarClosed] = []
    for until, since, corrections in polls:
        said |= corrections
        for place in range(since, until):
            if told[place][-1:] != [float(said[place])]:
                told[place].append(float(said[place]))
            if event := decide(known, sound(vendor_bar(DAYS[place], said[place]))):
                published.append(event)
                known[event.closed_at] = KnownBar.of(event)
    for place, contents in told.items():
        own = [event for event in published if event.opened_at.date() == DAYS[place]]
        assert [event.close for event in own] == contents
        assert [event.revision for event in own] == list(range(len(contents)))
    assert len({event.event_id for event in published}) == len(published)


def test_refusals_and_events_name_a_bar_alike() -> None:
    assert bars.closed_stamp(sound(vendor_bar()).event) == "2012-01-03T21:00:00Z"
