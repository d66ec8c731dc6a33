"""The leaderboard as it is asked for: sums by session held here, as far back as asked for, and read again on change.

What an answer costs depends on the sessions that it is about, not on how many scores there have ever been.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from gateway.cached import CachedAnswers
from gateway.reads.queries import Queries
from gateway.reads.standings import SessionClose, Sums, VersionStep, by_session, standings
from gateway.schemas.responses import Position

LEADERBOARD_SECONDS = 2.0  # seconds: every open page asks for it every few seconds
SESSIONS_OF_A_YEAR = 252  # sessions

Cell = tuple[str, str]  # interval and period of the read model's documents
SumsByLine = dict[VersionStep, dict[SessionClose, Sums]]
LeaderboardAnswer = tuple[list[dict[str, Any]], Position]


@dataclass(frozen=True, slots=True)
class LeaderboardFilter:
    """Which scores count; None: all."""

    interval: str
    step: int | None
    symbol: str | None
    family: str | None
    window: int


class Leaderboards:
    """Adds up the scores that a filter leaves."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._kept = CachedAnswers(LEADERBOARD_SECONDS, self._answer)
        self._lock = asyncio.Lock()
        self._looked = -LEADERBOARD_SECONDS
        self._made_of: object = None  # the read model that the sums are of: a rebuild makes another
        self._position: Position = {}
        self._periods: dict[str, set[str]] = {}  # that the read model has, by interval
        self._deepest: dict[str, int] = {}  # how many of an interval's periods an answer was made of, at most
        self._cells: dict[Cell, SumsByLine] = {}

    async def of(self, which: LeaderboardFilter) -> LeaderboardAnswer:
        """Return a leaderboard's lines and the position that they include."""
        return await self._kept.of(which)

    async def _answer(self, which: LeaderboardFilter) -> LeaderboardAnswer:
        position = await self._refresh()
        cells, sessions = await self._newest(which.interval, which.window)
        wanted = set(sorted(sessions)[-which.window :])
        if which.symbol is not None:
            since = min(wanted, default="")
            cells = [by_session(await self._queries.leaderboard(which.interval, symbol=which.symbol, since=since))]
        lines: SumsByLine = {}
        for cell in cells:
            for line, found in cell.items():
                kept = {session: sums for session, sums in found.items() if session in wanted}
                if kept and which.step in (None, line.step) and which.family in (None, line.family):
                    lines.setdefault(line, {}).update(kept)
        return standings(lines), position

    async def _newest(self, interval: str, window: int) -> tuple[list[SumsByLine], set[SessionClose]]:
        """Return the sums of the newest periods, so many that they hold a window's sessions, and those sessions."""
        async with self._lock:
            periods = self._periods.get(interval) or await self._queries.leaderboard_periods(interval)
            if periods:
                self._periods[interval] = periods
            cells: list[SumsByLine] = []
            sessions: set[SessionClose] = set()
            newest = sorted(periods, reverse=True)
            for period in newest:
                if len(sessions) >= window:
                    break
                if (interval, period) not in self._cells:
                    documents = await self._queries.leaderboard(interval, period=period)
                    self._cells[interval, period] = by_session(documents)
                cells.append(self._cells[interval, period])
                sessions.update(session for found in cells[-1].values() for session in found)
            if len(cells) > self._deepest.get(interval, 0):
                self._deepest[interval] = len(cells)
            for period in newest[self._deepest.get(interval, 0) :]:
                self._cells.pop((interval, period), None)
            return cells[::-1], sessions

    async def _refresh(self) -> Position:
        """Forget what changed since it was read; return the position that all sums include."""
        async with self._lock:
            if time.monotonic() - self._looked < LEADERBOARD_SECONDS:
                return self._position
            looked = time.monotonic()
            made_of, position = await self._queries.leaderboard_state()
            if made_of != self._made_of:
                self._cells, self._periods = {}, {}
            elif self._periods:
                for interval, period in await self._queries.leaderboard_changes(self._position, position):
                    self._cells.pop((interval, period), None)
                    self._periods.get(interval, set()).add(period)
            self._made_of, self._position, self._looked = made_of, position, looked
            return position
