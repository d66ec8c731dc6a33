"""The leaderboard's sums, brought up to date from a read model in memory."""

import asyncio
from typing import Any, cast

import pytest

from gateway.reads import leaderboards
from gateway.reads.leaderboards import SESSIONS_OF_A_YEAR, LeaderboardFilter, Leaderboards
from gateway.reads.queries import Queries
from gateway.schemas.responses import Position


class MemoryScores:
    """The read model `leaderboard`, one document a session, symbol and version; counts what is read of it."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.made_of = "first"
        self.end = 0
        self.read = 0

    def settle(self, day: int, version: str = "4", symbol: str = "AAPL", error: float = 0.5) -> None:
        month, date = divmod(day, 28)
        period = f"{2012 + month // 12}-{month % 12 + 1:02}"
        terms = {
            "target_at": f"{period}-{date + 1:02}T21:00:00Z", "absolute_error": error, "naive_absolute_error": 1.0,
            "scaled_error": 1.0, "crps": 0.01, "naive_crps": 0.01, "inside_80": True, "inside_95": True,
        }  # fmt: skip
        key = f"{version}|{symbol}|{period}"
        document = self.documents.setdefault(
            key,
            {"model_version": version, "family": "arima", "step": 1, "symbol": symbol, "interval": "P1D",
             "period": period, "scores": {}},
        )  # fmt: skip
        document["scores"][terms["target_at"]] = terms
        document["_offset"] = self.end
        self.end += 1

    async def leaderboard_state(self) -> tuple[object, Position]:
        return self.made_of, {"forecast-scores": {"0": self.end}}

    async def leaderboard_periods(self, interval: str) -> set[str]:
        return {row["period"] for row in self.documents.values() if row["interval"] == interval}

    async def leaderboard_changes(self, since: Position, until: Position) -> set[tuple[str, str]]:
        first = since["forecast-scores"]["0"]
        return {(row["interval"], row["period"]) for row in self.documents.values() if row["_offset"] >= first}

    async def leaderboard(
        self, interval: str, *, period: str | None = None, symbol: str | None = None, since: str = ""
    ) -> list[dict[str, Any]]:
        found = [
            row
            for row in self.documents.values()
            if symbol in (None, row["symbol"]) and (row["period"] == period if period else row["period"] >= since[:7])
        ]
        self.read += len(found)
        return found


ALL = LeaderboardFilter("P1D", None, None, None, SESSIONS_OF_A_YEAR)


def ask(board: Leaderboards, which: LeaderboardFilter) -> leaderboards.LeaderboardAnswer:
    return asyncio.run(board.of(which))


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> MemoryScores:
    monkeypatch.setattr(leaderboards, "LEADERBOARD_SECONDS", 0.0)
    return MemoryScores()


def test_leaderboard_counts_what_came_since_and_reads_only_the_periods_that_changed(scores: MemoryScores) -> None:
    for day in range(200):
        scores.settle(day)
    board = Leaderboards(cast(Queries, scores))
    ((item,), position) = ask(board, ALL)
    assert (item["n"], position) == (200, {"forecast-scores": {"0": 200}})

    scores.read = 0
    ((item,), _) = ask(board, ALL)
    assert (item["n"], scores.read) == (200, 0)
    scores.settle(200)
    scores.settle(3, error=9.0)  # a corrected bar long ago
    ((item,), _) = ask(board, ALL)
    assert (item["n"], scores.read) == (201, 2)
    assert item["skill"] == pytest.approx(1 - (200 * 0.5 + 9.0) / 201)


def test_leaderboard_after_a_rebuild_is_that_of_the_new_read_model(scores: MemoryScores) -> None:
    scores.settle(0)
    board = Leaderboards(cast(Queries, scores))
    ask(board, ALL)
    end, scores.documents, scores.made_of = scores.end, {}, "second"
    scores.settle(0, error=0.25)
    scores.end = end
    ((item,), _) = ask(board, ALL)
    assert item["skill"] == pytest.approx(0.75)


def test_leaderboard_window_is_of_the_newest_sessions_of_all_versions_and_symbols(scores: MemoryScores) -> None:
    for day in range(300):
        scores.settle(day, "1", "AAPL" if day < 295 else "IBM")
    for day in range(5):
        scores.settle(day, "2")
    board = Leaderboards(cast(Queries, scores))

    def counts(window: int, symbol: str | None = None) -> dict[str, int]:
        items, _ = ask(board, LeaderboardFilter("P1D", None, symbol, None, window))
        return {item["version"]: item["n"] for item in items}

    assert counts(SESSIONS_OF_A_YEAR) == {"1": 252}
    assert counts(1000) == {"1": 300, "2": 5}
    assert counts(10, "AAPL") == {"1": 5}
    assert counts(10, "GOOG") == {}


def test_leaderboard_reads_and_holds_no_more_than_the_sessions_that_are_asked_for(scores: MemoryScores) -> None:
    for day in range(2000):
        scores.settle(day)
    board = Leaderboards(cast(Queries, scores))
    ((item,), _) = ask(board, ALL)
    assert item["n"] == SESSIONS_OF_A_YEAR
    assert scores.read == len(board._cells) == 10  # months of 28 sessions, the newest of them not over

    for day in range(2000, 2100):
        scores.settle(day)
        ((item,), _) = ask(board, ALL)
        assert item["n"] == SESSIONS_OF_A_YEAR
    assert len(board._cells) == 10

    scores.read = 0
    scores.settle(3, error=9.0)  # a corrected bar, older than all that is asked for
    ask(board, ALL)
    assert scores.read == 0
    ((item,), _) = ask(board, LeaderboardFilter("P1D", None, None, None, 10_000))
    assert item["n"] == 2100
    assert item["skill"] == pytest.approx(1 - (2099 * 0.5 + 9.0) / 2100)
    assert scores.read == 75 - 10


def test_leaderboard_of_intervals_that_nobody_scores_holds_nothing(scores: MemoryScores) -> None:
    board = Leaderboards(cast(Queries, scores))
    for minutes in range(1, 50):
        assert ask(board, LeaderboardFilter(f"PT{minutes}M", None, None, None, 5))[0] == []
    assert board._periods == board._deepest == board._cells == {}


def test_leaderboard_of_a_symbol_does_not_read_what_is_older_than_its_window(scores: MemoryScores) -> None:
    for day in range(300):
        scores.settle(day)
    board = Leaderboards(cast(Queries, scores))
    ask(board, ALL)
    scores.read = 0
    ask(board, LeaderboardFilter("P1D", 1, "AAPL", None, 28))
    assert scores.read <= 2
