"""The leaderboard as it is asked for, kept for a moment: every open page asks for it every few seconds."""

from dataclasses import dataclass
from typing import Any

from gateway.kept import Kept
from gateway.queries import Position, Queries
from gateway.standings import standings

KEPT = 2.0  # seconds: adding up some ten thousand scores takes a tenth of one


@dataclass(frozen=True, slots=True)
class Filter:
    """Which scores count; None: all."""

    interval: str
    step: int | None
    symbol: str | None
    family: str | None
    window: int | None


class Leaderboards:
    """Adds up the scores that a filter leaves."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._kept = Kept(KEPT, self._read)

    async def of(self, which: Filter) -> tuple[list[dict[str, Any]], Position]:
        """Return a leaderboard's lines and the position that they include."""
        return await self._kept.of(which)

    async def _read(self, which: Filter) -> tuple[list[dict[str, Any]], Position]:
        position = await self._queries.position("leaderboard")
        scores = await self._queries.scores(which.interval, step=which.step, symbol=which.symbol, family=which.family)
        return standings(scores, which.window), position
