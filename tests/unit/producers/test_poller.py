"""What the poller does when the vendor says that a setting is wrong: it stops asking, and says so."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from producers.ledger import Ledger
from producers.poller import Poller
from producers.preview import preview
from producers.settings import ProducerSettings
from producers.sources.base import Report, VendorRefused, WrongSetting


class Refusing:
    """A vendor that refuses each request for one reason."""

    name = "refusing"

    def __init__(self, error: VendorRefused) -> None:
        self.asked: list[str] = []
        self._error = error

    def fetch(self, symbol: str, interval: str, since: datetime | None) -> Report:
        self.asked.append(symbol)
        raise self._error


class Noon:
    def now(self) -> datetime:
        return datetime(2024, 12, 2, 17, tzinfo=UTC)


def settings(home: Path) -> ProducerSettings:
    return ProducerSettings(_env_file=None, symbols="A,B,C", home=home)  # type: ignore[call-arg,arg-type]


def poller_of(source: Refusing, home: Path) -> Poller:
    given = settings(home)
    return Poller(given, source, Ledger(given), Noon(), threading.Event())  # type: ignore[arg-type]


def test_poller_wrong_setting_stops_the_source_for_all_symbols_and_tells_each(tmp_path: Path) -> None:
    source = Refusing(WrongSetting("set FORETICK_ALPHAVANTAGE_KEY"))
    poller = poller_of(source, tmp_path)
    for watch in poller.watches:
        poller.poll(watch)
    assert source.asked == ["A"]
    told = poller.status()
    assert {symbol["error"] for symbol in told["symbols"]} == {"set FORETICK_ALPHAVANTAGE_KEY"}
    assert "FORETICK_ALPHAVANTAGE_KEY" in told["waiting_for"]
    assert poller.reasons() == [f"waiting for {told['waiting_for']}"]


def test_poller_refusal_of_one_symbol_is_no_matter_of_the_others(tmp_path: Path) -> None:
    source = Refusing(VendorRefused("no such symbol"))
    poller = poller_of(source, tmp_path)
    for watch in poller.watches:
        poller.poll(watch)
    assert source.asked == ["A", "B", "C"]


def test_preview_wrong_setting_ends_the_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Refusing(WrongSetting("set FORETICK_ALPHAVANTAGE_KEY"))
    monkeypatch.setattr("producers.preview.source_from", lambda _: source)
    given = settings(tmp_path)
    with pytest.raises(WrongSetting):
        list(preview(given, Ledger(given)))
    assert source.asked == ["A"]
