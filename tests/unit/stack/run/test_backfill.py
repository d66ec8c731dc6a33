"""History has flowed in once the log holds what the market showed when all of it had been read."""

from pathlib import Path

import pytest

from stack.layout import Layout
from stack.run import backfill
from stack.run.airflow_api import WorkflowFailed
from stack.terminal import Terminal

CONSOLE = Terminal(quiet=True)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(home=tmp_path, cache=tmp_path)


class Market:
    """Shows more bars with each look, and is read with some delay."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, shown: int, read: list[int], ready_after: int = 0) -> None:
        self.shown, self.read, self.looks, self.ready_after = shown, read, 0, ready_after
        monkeypatch.setattr(backfill, "_PERIOD", 0.0)
        monkeypatch.setattr(backfill, "_expected", lambda _: self._look())
        monkeypatch.setattr(backfill, "waiting_reasons", lambda _: ["IBM was not read yet"] if self._waits() else [])
        monkeypatch.setattr(backfill, "watermarks", lambda *_: {0: (0, self._ends())})

    def _look(self) -> int:
        self.looks += 1
        return self.shown + self.looks * 4

    def _waits(self) -> bool:
        self.ready_after -= 1
        return self.ready_after >= 0

    def _ends(self) -> int:
        return self.read.pop(0) if len(self.read) > 1 else self.read[0]


def test_market_that_runs_ahead_of_its_readers_is_not_waited_for_endlessly(layout, monkeypatch):
    market = Market(monkeypatch, shown=100, read=[50, *range(90, 200, 4)], ready_after=1)
    backfill.await_backfill(layout, CONSOLE)
    assert market.looks == 2  # what it showed when all symbols had been read is the goal
    assert market.read[0] > 108


def test_history_that_stands_still_is_given_up_with_the_reason(layout, monkeypatch):
    monkeypatch.setattr(backfill, "_STALLED", 0.05)
    Market(monkeypatch, shown=100, read=[50], ready_after=10**6)
    with pytest.raises(WorkflowFailed, match=r"stopped at 50 bars of .*IBM was not read yet"):
        backfill.await_backfill(layout, CONSOLE)
