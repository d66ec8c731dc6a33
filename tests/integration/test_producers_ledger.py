"""The producers' ledger: what it knows is a fold of the log, whether it was saved in between, lost or broken."""

import random
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.events import BarClosed, CorporateActionAnnounced, Event
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from producers import ledger as ledger_module
from producers.actions import KnownAction, action_key
from producers.bars import KnownBar, SoundBar
from producers.known import Known
from producers.ledger import PRODUCERS_SOURCE, Ledger, OwnUnreadable
from producers.reports import Sound
from producers.settings import ProducerSettings
from streaming.codec import Codec
from streaming.dead_letters import DeadLetters
from streaming.publisher import Publisher
from streaming.reader import read_range, watermarks
from streaming.records import DeadRecord
from streaming.redriving import Redriver
from tests.support.topics import make_anew, produce

FIRST = datetime(2024, 1, 2, 21, tzinfo=UTC)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
SYMBOLS = ("AAPL", "MSFT", "GOOG")


def any_event(chance: random.Random) -> Event:
    """Return a bar or a split, any revision of it, as nobody would publish them: in no order."""
    symbol, revision = chance.choice(SYMBOLS), chance.randrange(4)
    if chance.random() < 0.2:
        split = sample(CorporateActionAnnounced)
        ratio = chance.choice([2.0, 3.0, 0.5])
        return replace(split, symbol=symbol, kind="SPLIT", revision=revision, ratio=ratio, amount=None)
    price = chance.randrange(4, 160) / 4
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    payload = f"{int(price * 4):064x}"
    return bar(chance.randrange(4), symbol=symbol, revision=revision, payload_sha256=payload, vwap=None, **prices)


def publish(*events: Event) -> None:
    with Publisher(ProducerSettings(), PRODUCERS_SOURCE) as publisher:
        for event in events:
            publisher.publish(event, time=NOW)


def bar(day: int = 0, **changes: object) -> BarClosed:
    closed_at = FIRST + timedelta(days=day)
    times = {"opened_at": closed_at - timedelta(hours=7), "closed_at": closed_at, "recorded_at": closed_at}
    return replace(sample(BarClosed), **{"symbol": "AAPL", **times, **changes})


def known_of(ledger: Ledger, symbol: str = "AAPL") -> Known:
    """Return what a ledger knows of all days that the tests speak of."""
    ends = [SoundBar(replace(bar(day), symbol=symbol), 0.0, 0.0) for day in (0, 100)]
    return ledger.known(symbol, sample(BarClosed).interval, Sound([], ends))


def folded(events: list[Event], symbol: str) -> Known:
    """Return what is known of a symbol by the definition: of each bar and action the highest revision, told last."""
    known = Known()
    for event in events:
        if isinstance(event, BarClosed) and event.symbol == symbol:
            _take(known.bars, event.closed_at, KnownBar.of(event))
        elif isinstance(event, CorporateActionAnnounced) and event.symbol == symbol:
            _take(known.actions, action_key(event), KnownAction.of(event))
    return known


def _take(known: dict, key: object, each: KnownBar | KnownAction) -> None:
    if key not in known or each.revision >= known[key].revision:
        known[key] = each


@pytest.fixture
def home(isolated, tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    return tmp_path


def saved(home: Path) -> list[Path]:
    return sorted(home.glob("state/*producers/*/*.sqlite"))


def restarted() -> tuple[Ledger, int]:
    ledger = Ledger(ProducerSettings())
    return ledger, ledger.fold_log()


@pytest.mark.parametrize("seed", range(3))
def test_ledger_that_restarts_between_any_events_knows_what_a_fold_of_all_gives(home, seed):
    chance = random.Random(seed)
    events: list[Event] = []
    running, _ = restarted()
    for _ in range(4):
        news = [any_event(chance) for _ in range(chance.randrange(12))]
        publish(*news)
        events += news
        ledger, count = restarted()
        running.catch_up()
        assert count == len(news)
        for symbol in SYMBOLS:
            assert known_of(ledger, symbol) == known_of(running, symbol) == folded(events, symbol)
        ledger.close()
    assert {(part.equal, part.number) for part in running.verify()} == {(True, number) for number in range(6)}
    running.close()


def test_restart_folds_only_what_came_since(home):
    publish(bar(0), bar(1))
    ledger, count = restarted()
    ledger.close()
    publish(bar(2))
    ledger, further = restarted()

    assert (count, further) == (2, 1)
    assert sorted(known_of(ledger).bars) == [FIRST + timedelta(days=day) for day in range(3)]
    assert ledger.last["AAPL", "P1D"] == FIRST + timedelta(days=2)
    ledger.close()


def test_state_of_other_code_or_of_another_log_is_thrown_away(home, monkeypatch):
    publish(bar(0), bar(1))
    restarted()[0].close()
    monkeypatch.setattr(ledger_module, "_code", lambda: "of another version")
    ledger, count = restarted()
    ledger.close()
    assert count == 2

    make_anew(ProducerSettings(), STOCK_DATA)
    publish(bar(5))
    ledger, count = restarted()
    assert (count, sorted(known_of(ledger).bars)) == (1, [FIRST + timedelta(days=5)])
    assert len({file.parent for file in saved(home)}) == 1
    ledger.close()


def test_state_of_a_log_that_has_gone_on_otherwise_since_is_thrown_away(home):
    publish(bar(0), bar(1))
    restarted()[0].close()
    for path in saved(home):
        with sqlite3.connect(path) as file:  # as if the log were an older copy that others have written on
            file.execute("UPDATE positions SET last_id = 'of another event'")
            file.execute("UPDATE bars SET close = 1.0")
    ledger, count = restarted()
    assert count == 2
    assert known_of(ledger).bars[FIRST].content[3] == sample(BarClosed).close
    ledger.close()


def test_verify_tells_the_part_that_is_not_what_the_log_gives(home):
    publish(bar(0), bar(1))
    ledger, _ = restarted()
    for path in saved(home):
        with sqlite3.connect(path) as file:
            file.execute("UPDATE bars SET close = 1.0")

    (different,) = [part for part in ledger.verify() if not part.equal]

    assert different.events == 2
    ledger.close()


@pytest.mark.parametrize("junk", [b"no database at all" * 400, b""], ids=["junk", "empty"])
def test_state_that_cannot_be_read_is_folded_again(home, junk):
    publish(bar(0), bar(1))
    restarted()[0].close()
    for path in saved(home):
        path.write_bytes(junk)
    ledger, count = restarted()
    assert (count, len(known_of(ledger).bars)) == (2, 2)
    ledger.close()


def test_two_ledgers_beside_each_other_fold_into_the_same_state(home):
    ledgers = [restarted()[0] for _ in range(2)]
    for day in range(6):
        publish(bar(day))
        for ledger in ledgers[:: -1 if day % 2 else 1]:
            ledger.catch_up()
            assert len(known_of(ledger).bars) == day + 1
    for ledger in ledgers:
        ledger.close()
    ledger, count = restarted()
    assert (count, len(known_of(ledger).bars)) == (0, 6)
    ledger.close()


def test_unreadable_event_of_ours_hides_nothing_that_came_beside_it(home):
    given = ProducerSettings()
    ledger, _ = restarted()
    publish(bar(0))
    produce(given, STOCK_DATA, Codec(given).encode(bar(1))[:-9], b"AAPL", {"ce_source": PRODUCERS_SOURCE})
    publish(bar(2))
    for read in (ledger.catch_up, ledger.follow, ledger.catch_up):
        with pytest.raises(OwnUnreadable):
            read()

    ends = {place: high for place, (_, high) in watermarks(given, STOCK_DATA).items()}
    dead: list[DeadRecord] = []
    list(read_range(given, STOCK_DATA, {}, ends, on_poison="skip", on_dead=dead.append))
    with Publisher(given, "/foretick/dead-letters") as publisher:
        publisher.bury(dead[0])
    (letter,) = DeadLetters(given).of(STOCK_DATA).open
    Redriver(given, lambda: NOW).drop(letter, "cut off in a test")
    ledger.catch_up()
    assert sorted(known_of(ledger).bars) == [FIRST, FIRST + timedelta(days=2)]
    ledger.close()
