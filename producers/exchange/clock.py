"""The replay exchange's clock: market time that jumps from one session's close to the next, or stands."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.ids import stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """What the clock shows, whether it runs, and how fast.

    Attributes:
        now: market time, aware, UTC.
        seconds_per_session: seconds of the wall from one close to the next.
        since: the wall's seconds (any zero) when `now` was reached.
    """

    now: datetime
    running: bool
    seconds_per_session: float
    since: float

    def to_json(self) -> dict[str, Any]:
        """Return what outlives a restart; the time while nothing ran does not count."""
        return {"now": stamp(self.now), "running": self.running, "seconds_per_session": self.seconds_per_session}

    @classmethod
    def from_json(cls, saved: dict[str, Any], wall: float) -> "ClockState":
        """Return a state as saved, its next session a whole step away."""
        return cls(
            now=datetime.fromisoformat(saved["now"]),
            running=bool(saved["running"]),
            seconds_per_session=float(saved["seconds_per_session"]),
            since=wall,
        )


def advance(state: ClockState, closes: Sequence[datetime], wall: float) -> ClockState:
    """Return the state at a moment of the wall: `now` moved by as many closes as steps have passed."""
    if not state.running:
        return replace(state, since=wall)
    steps = int((wall - state.since) / state.seconds_per_session)
    following = bisect_right(closes, state.now)  # the next close to come
    if steps <= 0 or following >= len(closes):
        return state
    return replace(
        state,
        now=closes[min(following + steps - 1, len(closes) - 1)],
        since=state.since + steps * state.seconds_per_session,
    )


def clock_answer(state: ClockState, opens: Sequence[datetime], closes: Sequence[datetime]) -> dict[str, Any]:
    """Return what GET /clock answers."""
    closed = bisect_right(closes, state.now)
    return {
        **state.to_json(),
        "session": _day(opens[closed - 1]) if closed else None,
        "first_session": _day(opens[0]),
        "last_session": _day(opens[-1]),
        "sessions_left": len(closes) - closed,
        "finished": closed == len(closes),
    }


def _day(opened: datetime) -> str:
    return opened.date().isoformat()  # New York opens on the same date in UTC
