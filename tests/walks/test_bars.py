"""Bars go all the way: exchange, producers, Kafka, projections, MongoDB, gateway, socket; and again after a kill.

Everything is real and a process of its own.  The market stands still except where a test moves its clock, and no test
measures time.  They share one market: each begins where the one before ended, whatever that did.
"""

import asyncio
import csv
import re
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from contracts.ids import stamp
from contracts.topics import CORPORATE_ACTIONS, STOCK_DATA, TOPICS
from producers.exchange.api import load_listings
from projections.read_models.bars import BARS
from projections.read_models.table import READ_MODELS
from projections.settings import ProjectionSettings
from projections.snapshots.content import by_period, csv_bytes
from streaming.records import Record
from tests.integration.gatewaying import TOPIC, Ear, GatewayProcess, Seen, last_seen, run
from tests.integration.processes import Service
from tests.integration.producing import Market, bar_records
from tests.integration.projecting import command, documents, expected
from tests.support.waiting import until

SYMBOLS = ("AAPL", "IBM")
MARKET = [model for model in READ_MODELS if set(model.topics) <= {STOCK_DATA, CORPORATE_ACTIONS}]
LIVE_FROM = "2000-06-15"  # Apple's split is four sessions away


@dataclass(frozen=True)
class Walk:
    """Everything from the exchange to the gateway, running."""

    market: Market
    projections: Service
    gateway: GatewayProcess
    closes: tuple[datetime, ...]

    def tick(self, sessions: int = 1) -> None:
        """Close the market's next sessions."""
        now = datetime.fromisoformat(self.market.clock()["now"])
        self.market.clock(now=stamp(self.closes[self.closes.index(now) + sessions]))

    def log(self) -> dict[int, list[int]]:
        """Return the offset of every event of the bars' topic."""
        offsets: defaultdict[int, list[int]] = defaultdict(list)
        for record in bar_records():
            offsets[record.partition].append(record.offset)
        return dict(offsets)

    def produced(self) -> None:
        """Wait until each visible session is in the log, whole and once."""
        visible = sum(self.market.visible(symbol) for symbol in SYMBOLS)

        def all_there() -> list[Record] | None:
            records = bar_records()
            bars = {(record.event.symbol, record.event.closed_at) for record in records}
            return records if len(bars) == visible else None

        records = until(all_there, "all was published")
        assert len({record.event_id for record in records}) == len(records)

    def projected(self) -> None:
        """Wait until the read models are where the log ends."""
        self.produced()
        until(lambda: self.projections.lag() == 0 and self.reached(), "all was projected")

    def proved(self) -> None:
        """Compare the read models with a plain fold of the log."""
        self.projected()
        for model in MARKET:
            assert documents(ProjectionSettings(), model.name) == expected(ProjectionSettings(), model), model.name

    def reached(self) -> bool:
        """Tell whether the gateway's reads hold the newest session of each symbol."""
        now = self.market.clock()["now"]
        return [bar["closed_at"] for symbol in SYMBOLS for bar in self.bars(symbol, limit=1)] == [now] * len(SYMBOLS)

    def bars(self, symbol: str, **query: Any) -> list[dict[str, Any]]:
        """Return what `GET /api/bars/{symbol}` lists; nothing of a symbol that it does not know."""
        items: list[dict[str, Any]] = self.get(f"/api/bars/{symbol}", **query).get("items", [])
        return items

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return what the gateway answers."""
        asked = f"{path}?{urlencode(query)}"
        found: dict[str, Any] = until(lambda: self.gateway.get(asked), "the gateway answered").json()
        return found


@pytest.fixture(scope="module")
def walk(isolated_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("walk")
    closes = load_listings()["IBM"].closes
    settings = {"FORETICK_FULL_READ_SECONDS": "1", "FORETICK_SNAPSHOT_SECONDS": "0"}
    with Market(folder, ",".join(SYMBOLS), LIVE_FROM, **settings) as market, pytest.MonkeyPatch.context() as patch:
        for name, value in market.environment.items():
            patch.setenv(name, value)
        projections = Service({}, folder / "projections.log")
        gateway = GatewayProcess(folder, {})
        try:
            projections.start()
            market.producers.start()
            gateway.start()
            gateway.live()
            yield Walk(market, projections, gateway, closes)
        finally:
            projections.kill()
            gateway.end(signal.SIGKILL)


@pytest.fixture(autouse=True)
def _projected(walk: Walk) -> None:
    """Begin each test where all is read."""
    walk.projected()


def hear(walk: Walk, act: Callable[[], None], count: int, positions: Seen | None = None) -> Ear:
    """Listen to `/live` while something is done, until `count` bars have come."""

    async def listen() -> Ear:
        async with walk.gateway.socket() as ear:
            await ear.say(type="resume", positions={} if positions is None else {TOPIC: last_seen(positions)})
            await ear.hear(1, "hello")
            await asyncio.to_thread(act)
            await ear.hear(count, "bar")
            return ear

    heard: Ear = run(listen())
    return heard


def test_history_of_every_symbol_is_in_the_log_the_documents_and_the_api(walk: Walk) -> None:
    listed = {each["symbol"]: each for each in walk.get("/api/symbols")["items"]}
    assert set(listed) == set(SYMBOLS)
    for symbol in SYMBOLS:
        sessions = load_listings()[symbol].sessions[: walk.market.visible(symbol)]
        told = walk.bars(symbol, limit=5000)
        assert [bar["closed_at"] for bar in told] == [stamp(close) for close in walk.closes[: len(sessions)]]
        if symbol == "AAPL":  # nobody corrects it
            assert [(bar["open"], bar["close"], bar["volume"]) for bar in told] == [
                (float(session.open), float(session.close), session.volume) for session in sessions
            ]
        assert listed[symbol]["bars"] == len(sessions)


def test_bar_that_closes_comes_by_socket_and_is_in_the_api(walk: Walk) -> None:
    ear = hear(walk, walk.tick, len(SYMBOLS))

    now = walk.market.clock()["now"]
    assert {(bar["data"]["symbol"], bar["data"]["closed_at"]) for bar in ear.of("bar")} == {(s, now) for s in SYMBOLS}
    walk.projected()
    for bar in (message["data"] for message in ear.of("bar")):
        (newest,) = walk.bars(bar["symbol"], limit=1)
        for name in ("closed_at", "open", "high", "low", "close", "volume", "revision"):
            assert newest[name] == bar[name], name


def test_bars_polled_again_are_published_once(walk: Walk) -> None:
    ends = walk.log()
    answers = walk.market.symbol("IBM")["answers"]
    until(lambda: walk.market.symbol("IBM")["answers"] > answers + 5, "it was polled again")
    assert walk.log() == ends


def test_dry_run_finds_nothing_new_where_all_is_in_the_log(walk: Walk) -> None:
    ends = walk.log()
    shown = command("ingest", "--dry-run")
    for symbol in SYMBOLS:
        assert re.search(rf"│ {symbol} +│ +0 │ +0 │ +│ +│ +│ +0 │ +{walk.market.visible(symbol)} │ +0 │", shown), shown
    assert walk.log() == ends


def test_correction_becomes_the_next_revision_everywhere(walk: Walk) -> None:
    (before,) = walk.bars("IBM", end="2000-03-01T23:00:00Z")
    correct = {"symbol": "IBM", "session": "2000-03-01", "close": before["close"] + 0.25}
    ear = hear(walk, lambda: walk.market.exchange.put("/faults", correct=correct), 1)

    (heard,) = ear.of("bar")
    assert (heard["data"]["close"], heard["data"]["revision"]) == (before["close"] + 0.25, before["revision"] + 1)
    walk.projected()
    (after,) = walk.bars("IBM", end="2000-03-01T23:00:00Z")
    assert (after["close"], after["revision"]) == (before["close"] + 0.25, before["revision"] + 1)
    (then,) = walk.bars("IBM", end="2000-03-01T23:00:00Z", as_of=before["recorded_at"])
    assert then == before


def test_split_is_announced_and_revises_nothing(walk: Walk) -> None:
    walk.market.clock(now="2000-06-21T20:00:00Z")
    walk.projected()

    actions = walk.get("/api/actions/AAPL")["items"]
    assert [(each["kind"], each["ex_date"], each["ratio"]) for each in actions] == [("SPLIT", "2000-06-21", 2.0)]
    assert {bar["revision"] for bar in walk.bars("AAPL", limit=5000)} == {0}


def test_vendor_s_broken_bar_is_refused_with_its_reason_and_the_others_go_on(walk: Walk) -> None:
    following = walk.closes[walk.closes.index(datetime.fromisoformat(walk.market.clock()["now"])) + 1]
    session = following.date().isoformat()
    sound = next(each for each in load_listings()["IBM"].sessions if each.day == following.date())
    walk.market.exchange.put("/faults", correct={"symbol": "IBM", "session": session, "high": 1})
    walk.tick()

    (refusal,) = until(lambda: walk.market.symbol("IBM")["refusals"], "the bar was refused")
    assert (refusal["at"], "high 1.0 is below" in refusal["reason"]) == (stamp(following), True)
    until(lambda: walk.market.symbol("AAPL")["last_bar"] == stamp(following), "the other symbol's was published")

    walk.market.exchange.put("/faults", correct={"symbol": "IBM", "session": session, "high": float(sound.high)})
    until(lambda: walk.market.symbol("IBM")["refused"] == 0, "the mended bar was published")


def test_projections_killed_go_on_without_a_double(walk: Walk) -> None:
    walk.projections.kill()
    walk.tick(sessions=3)
    walk.produced()
    walk.projections.start()

    walk.proved()


def test_producers_killed_go_on_without_a_double(walk: Walk) -> None:
    walk.market.producers.end(signal.SIGKILL)
    walk.tick(sessions=3)
    walk.market.producers.start()

    walk.proved()


def test_gateway_killed_costs_its_listeners_no_bar(walk: Walk) -> None:
    before = hear(walk, walk.tick, len(SYMBOLS)).seen()
    known = {place: offsets[:-1] for place, offsets in walk.log().items()} | before
    walk.gateway.end(signal.SIGKILL)
    walk.tick(sessions=2)
    walk.produced()
    walk.gateway.start()
    walk.gateway.live()

    missed = hear(walk, lambda: None, 2 * len(SYMBOLS), known)
    assert missed.seen() == {place: offsets[-2:] for place, offsets in walk.log().items()}
    assert not missed.of("gap")


def test_rebuild_from_the_log_is_the_same_state(walk: Walk) -> None:
    before = {model.name: documents(ProjectionSettings(), model.name) for model in MARKET}
    command("rebuild", *before)

    for model in MARKET:
        assert documents(ProjectionSettings(), model.name) == before[model.name], model.name
    hear(walk, walk.tick, len(SYMBOLS))
    walk.projected()


def test_snapshot_holds_every_bar_and_is_proved_from_the_log(walk: Walk, tmp_path: Path) -> None:
    command("snapshot", "--out", str(tmp_path))
    command("snapshot", "verify", str(tmp_path), "--log")

    rows = documents(ProjectionSettings(), BARS.name).values()
    for symbol in SYMBOLS:
        newest = sorted((row for row in rows if row["symbol"] == symbol), key=lambda row: row["closed_at"])
        files = sorted(tmp_path.glob(f"{symbol}_P1D_*.csv"))
        assert [file.read_bytes() for file in files] == [csv_bytes(rows) for rows in by_period(newest).values()]
        read = [row for file in files for row in csv.DictReader(file.read_text().splitlines())]
        assert len(read) == walk.market.visible(symbol)


def test_topics_are_listed_with_all_they_hold(walk: Walk) -> None:
    listed = command("topics")
    assert all(topic.name in listed and topic.dlq in listed for topic in TOPICS)
    for place, offsets in walk.log().items():
        assert re.search(rf"│ +{place} │ +0 to {offsets[-1] + 1} │ +{offsets[-1]} │", listed)  # a transaction's end
    assert walk.market.clock()["now"] in command("topics", STOCK_DATA.name, "--tail", "1")


def test_everything_ends_cleanly_on_sigterm(walk: Walk) -> None:
    assert (walk.market.producers.end(), walk.projections.stop(), walk.gateway.end()) == (0, 0, 0)
    for log in (walk.market.producers.log.read_text(), walk.gateway.log.read_text(), walk.projections.log):
        assert "Traceback" not in log
