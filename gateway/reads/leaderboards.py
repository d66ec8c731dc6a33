"""The leaderboard as it is asked for: sums by session held here, and brought up to date by what changed since.

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
        self._cells: dict[Cell, dict[VersionStep, dict[SessionClose, Sums]]] = {}

    async def of(self, which: LeaderboardFilter) -> LeaderboardAnswer:
        """Return a leaderboard's lines and the position that they include."""
        return await self._kept.of(which)

    async def _answer(self, which: LeaderboardFilter) -> LeaderboardAnswer:
        position = await self._refresh()
        cells = [lines for (interval, _), lines in sorted(self._cells.items()) if interval == which.interval]
        sessions = sorted({session for lines in cells for found in lines.values() for session in found})
        wanted = set(sessions[-which.window :])
        if which.symbol is not None:
            since = min(wanted, default="")
            cells = [by_session(await self._queries.leaderboard(which.interval, symbol=which.symbol, since=since))]
        lines: dict[VersionStep, dict[SessionClose, Sums]] = {}
        for cell in cells:
            for line, found in cell.items():
                kept = {session: sums for session, sums in found.items() if session in wanted}
                if kept and which.step in (None, line.step) and which.family in (None, line.family):
                    lines.setdefault(line, {}).update(kept)
        return standings(lines), position

    async def _refresh(self) -> Position:
        """Bring the sums up to date; return the position that they include."""
        async with self._lock:
            if time.monotonic() - self._looked < LEADERBOARD_SECONDS:
                return self._position
            looked = time.monotonic()
            made_of, position = await self._queries.leaderboard_state()
            if made_of != self._made_of:
                self._cells, self._position = {}, {}
            for interval, period in await self._queries.leaderboard_changes(self._position, position):
                documents = await self._queries.leaderboard(interval, period=period)
                self._cells[interval, period] = by_session(documents)
            self._made_of, self._position, self._looked = made_of, position, looked
            return position
