"""The producers against a real exchange, a real broker and a real registry."""

import re
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from contracts.ids import stamp
from producers.main import ingest_once
from producers.settings import ProducerSettings
from streaming.settings import StreamSettings
from tests.conftest import Isolated
from tests.integration.producing import Market, actions, bar_records, bars
from tests.integration.projecting import command
from tests.support.topics import clear_topics
from tests.support.waiting import until


@pytest.fixture
def corner(isolated: Isolated) -> Iterator[Isolated]:
    yield isolated
    clear_topics(StreamSettings())


@pytest.fixture
def market(corner: Isolated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Market]:
    with Market(tmp_path, "AAPL,IBM", FORETICK_FULL_READ_SECONDS="1") as market:
        for name, value in market.environment.items():
            monkeypatch.setenv(name, value)
        yield market


def started(market: Market) -> Market:
    market.producers.start()
    until(lambda: market.producers.answers("/health/ready"), "the producers were ready")
    return market


def test_ingest_twice_publishes_nothing_twice(market: Market) -> None:
    seen: list[tuple[str, int, int]] = []
    first = ingest_once(ProducerSettings(), lambda *told: seen.append(told))
    second = ingest_once(ProducerSettings())
    assert [(done.symbol, done.bars, done.error) for done in first] == [("AAPL", 23, None), ("IBM", 23, None)]
    assert [(done.bars, done.actions) for done in second] == [(0, 0), (0, 0)]
    assert seen[-1] == ("IBM", 23, 23)
    records = bar_records()
    assert len(records) == 46
    assert max(Counter(record.event_id for record in records).values()) == 1


def test_ingested_bar_carries_raw_prices_and_market_time(market: Market) -> None:
    ingest_once(ProducerSettings())
    record = bar_records()[0]
    [first] = [bar for bar in bars("AAPL") if bar.opened_at.date() == date(2000, 3, 1)]
    assert (first.open, first.high, first.low, first.close, first.volume) == (118.56, 132.06, 118.5, 130.31, 38478000)
    assert (first.exchange, first.currency, first.source, first.revision) == ("XNAS", "USD", "yahoo", 0)
    assert first.closed_at.isoformat() == "2000-03-01T21:00:00+00:00"
    assert first.recorded_at.isoformat() == "2000-03-31T21:00:00+00:00"
    assert record.headers["ce_time"] == stamp(first.recorded_at)
    assert datetime.now(UTC) - record.timestamp < timedelta(minutes=10)
    assert record.headers["ce_source"] == "/foretick/producers"


def test_ingest_since_a_day_publishes_from_there_and_a_dry_run_shows_the_rest(market: Market) -> None:
    command("ingest", "--since", "2000-03-27")
    assert {bar.opened_at.date() for bar in bars()} == {date(2000, 3, day) for day in range(27, 32)}
    market.exchange.put("/faults", correct={"symbol": "IBM", "session": "2000-03-30", "close": 119})
    shown = command("ingest", "--dry-run", "--symbols", "IBM")
    row = r"│ IBM +│ +18 │ +1 │ 2000-03-01 21:00 │ 2000-03-30 21:00 │ 119 USD │ +0 │ +4 │ +0 │"
    assert re.search(row, shown), shown
    assert "AAPL" not in shown
    assert len(bars()) == 10


def test_producers_killed_and_restarted_while_bars_stream_lose_and_repeat_nothing(market: Market) -> None:
    started(market)
    market.clock(running=True, seconds_per_session=0.1)
    for _ in range(2):
        before = market.visible("IBM")
        until(lambda before=before: market.visible("IBM") > before + 3, "time passed")
        assert market.producers.end(signal.SIGKILL) == -signal.SIGKILL
        market.producers.start()
    market.clock(running=False)
    now = market.exchange.get("/clock")["now"]
    until(lambda: all(market.symbol(symbol)["last_bar"] == now for symbol in ("AAPL", "IBM")), "all was read")
    for symbol in ("AAPL", "IBM"):
        read = bars(symbol)
        assert len(read) == market.visible(symbol) == len({bar.closed_at for bar in read})
        assert {bar.revision for bar in read} == {0}


def test_correction_becomes_the_next_revision_once(market: Market) -> None:
    started(market)
    market.exchange.put("/faults", correct={"symbol": "IBM", "session": "2000-03-01", "close": 101.5})
    until(lambda: market.symbol("IBM")["revised"], "the correction was published")
    looks = market.symbol("IBM")["answers"]
    until(lambda: market.symbol("IBM")["answers"] > looks + 15, "it was polled again, twice from the beginning")
    told = [bar for bar in bars("IBM") if bar.opened_at.date() == date(2000, 3, 1)]
    assert [(bar.revision, bar.close) for bar in told] == [(0, 100.25), (1, 101.5)]
    assert len(bars("IBM")) == 24


def test_split_that_happens_is_announced_and_revises_nothing(market: Market) -> None:
    market.clock(now="2000-06-20T20:00:00Z")
    started(market)
    before = len(bars("AAPL"))
    market.clock(now="2000-06-22T20:00:00Z")
    until(lambda: market.symbol("AAPL")["last_bar"] == "2000-06-22T20:00:00Z", "the split was crossed")
    looks = market.symbol("AAPL")["answers"]
    until(lambda: market.symbol("AAPL")["answers"] > looks + 15, "its history was read again")
    assert len(bars("AAPL")) == before + 2
    assert {bar.revision for bar in bars("AAPL")} == {0}
    splits = [action for action in actions() if action.kind == "SPLIT"]
    assert [(split.symbol, split.ex_date, split.ratio) for split in splits] == [("AAPL", date(2000, 6, 21), 2.0)]


def test_vendor_that_fails_in_every_way_is_reported_and_polled_until_it_answers(market: Market) -> None:
    started(market)
    faults = [({"status": 503}, "503"), ({"status": 429, "retry_after": 1}, "429"), ({"body": "html"}, "no JSON")]
    for fault, told in [*faults, ({"body": "truncated"}, "no JSON")]:
        market.exchange.put("/faults", **fault)
        assert told in until(lambda: market.symbol("IBM")["error"], f"{fault} was reported")
        assert market.symbol("IBM")["failures_in_a_row"] > 0
        market.exchange.put("/faults")
        until(lambda: market.symbol("IBM")["error"] is None, "the vendor was read again")
    market.exchange.put("/faults", status=503)
    until(lambda: market.symbol("IBM")["error"], "the failure was reported")
    market.clock(now="2000-04-05T20:00:00Z")
    market.exchange.put("/faults")
    until(lambda: market.symbol("IBM")["last_bar"] == "2000-04-05T20:00:00Z", "what closed meanwhile was read")
    assert market.producers.running()
    assert len(bars("IBM")) == 26


def test_exchange_that_dies_is_waited_for(market: Market) -> None:
    started(market)
    market.exchange.end(signal.SIGKILL)
    assert "cannot be reached" in until(lambda: market.symbol("IBM")["error"], "the failure was reported")
    market.exchange.start()
    market.clock(now="2000-04-03T20:00:00Z")
    until(lambda: market.symbol("IBM")["last_bar"] == "2000-04-03T20:00:00Z", "the exchange was read again")
    assert len(bars("IBM")) == 24


def test_broken_bar_is_refused_until_it_is_mended(market: Market) -> None:
    market.exchange.put("/faults", correct={"symbol": "IBM", "session": "2000-03-06", "high": 1})
    started(market)
    told = until(lambda: market.symbol("IBM")["refusals"], "the bar was refused")
    assert told[0]["at"] == "2000-03-06T21:00:00Z"
    assert "high 1.0 is below" in told[0]["reason"]
    assert len(bars("IBM")) == 22
    looks = market.symbol("IBM")["answers"]
    until(lambda: market.symbol("IBM")["answers"] > looks + 15, "it was read again")
    assert market.producers.log.read_text().count('"event": "refused"') == 1
    market.exchange.put("/faults", correct={"symbol": "IBM", "session": "2000-03-06", "high": 110})
    until(lambda: market.symbol("IBM")["refused"] == 0, "the mended bar was published")
    assert [bar.revision for bar in bars("IBM") if bar.opened_at.date() == date(2000, 3, 6)] == [0]


def test_ingest_beside_the_running_service_publishes_nothing_twice(market: Market) -> None:
    started(market)
    market.clock(running=True, seconds_per_session=0.2)
    with ThreadPoolExecutor() as others:
        for _ in range(3):
            for done in [others.submit(ingest_once, ProducerSettings()) for _ in range(2)]:
                done.result()
    market.clock(running=False)
    now = market.exchange.get("/clock")["now"]
    until(lambda: {market.symbol(symbol)["last_bar"] for symbol in ("AAPL", "IBM")} == {now}, "all was read")
    counted = Counter(record.event_id for record in bar_records())
    assert counted.total() == market.visible("AAPL") + market.visible("IBM")
    assert set(counted.values()) == {1}


def test_share_that_lists_later_begins_when_it_does(corner: Isolated, tmp_path: Path) -> None:
    with Market(tmp_path, "GOOG", live_from="2004-08-19") as market:
        started(market)
        assert market.symbol("GOOG")["error"] is None
        assert bars() == []
        market.clock(now="2004-08-20T20:00:00Z")
        until(lambda: market.symbol("GOOG")["published"] == 2, "the first sessions were published")
        assert [bar.closed_at.date() for bar in bars()] == [date(2004, 8, 19), date(2004, 8, 20)]


def test_unknown_symbol_is_reported_and_the_others_are_read(corner: Isolated, tmp_path: Path) -> None:
    with Market(tmp_path, "NOPE,IBM") as market:
        started(market)
        assert "may be delisted" in market.symbol("NOPE")["error"]
        assert market.symbol("IBM")["published"] == 23


def test_producers_end_cleanly_on_sigterm(market: Market) -> None:
    started(market)
    assert market.producers.end() == 0
    assert "Traceback" not in market.producers.log.read_text()


def test_producers_without_kafka_wait_and_say_so(tmp_path: Path) -> None:
    with Market(tmp_path, "IBM", FORETICK_KAFKA="127.0.0.1:9", FORETICK_REGISTRY="http://127.0.0.1:9") as market:
        market.producers.start()
        told = until(lambda: market.producers.get("/status")["waiting_for"], "the wait was told")
        assert "Kafka" in told
        assert not market.producers.answers("/health/ready")
        assert market.producers.end() == 0
