"""The replay exchange itself: its listings, its clock and its corrections; the last two outlive a restart."""

import csv
import json
import os
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.files.dates import turnable
from producers.exchange.clock import ClockState, advance, clock_answer
from producers.exchange.listings import COMPANIES, read_sessions
from producers.exchange.market import Listing, chart, unknown_symbol
from producers.sessions import Calendar

PACE = 5.0  # seconds of the wall from one session to the next


class ClockChange(BaseModel):
    """What PUT /clock takes; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    running: bool | None = None
    seconds_per_session: float | None = Field(None, gt=0, le=86_400)
    now: AwareDatetime | None = None


class Correction(BaseModel):
    """A session's values as the exchange tells them from now on, raw and taken literally."""

    model_config = ConfigDict(extra="forbid")

    symbol: str
    session: date
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None = None
    volume: int | None = None


class Faults(BaseModel):
    """How the chart answers: with a status, or with a body that is a page or breaks off; null: as it should."""

    model_config = ConfigDict(extra="forbid")

    status: Literal[429, 500, 502, 503] | None = None
    retry_after: int | None = Field(None, ge=0, description="Seconds, told beside the status; null: not told.")
    body: Literal["html", "truncated"] | None = None
    correct: Correction | None = Field(None, description="Corrected at once and for good; not a lasting fault.")


class Exchange:
    """The listings, the clock and the corrections; the last two outlive a restart.

    Args:
        folder: where `clock.json` and `corrections.json` are kept.
        live_from: the first session that is still to come when the exchange opens for the first time.
        seconds_per_session: how fast the clock goes; None: as it went before, at first `PACE`.
        wall: seconds of the wall, from any zero.
    """

    def __init__(
        self,
        listings: dict[str, Listing],
        folder: Path,
        live_from: date,
        seconds_per_session: float | None = None,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._listings = listings
        self._folder = folder
        self._wall = wall
        self.faults = Faults()
        longest = max(listings.values(), key=lambda listing: len(listing.closes))
        self._opens, self._closes = longest.opens, longest.closes
        folder.mkdir(parents=True, exist_ok=True)
        if saved := _load(folder / "clock.json"):
            state = ClockState.from_json(saved, wall())
            self._state = replace(state, seconds_per_session=seconds_per_session or state.seconds_per_session)
        else:
            begin = datetime.combine(live_from, datetime.min.time(), UTC)
            self._state = ClockState(
                now=self._closes[max(0, bisect_right(self._closes, begin) - 1)],
                running=False,
                seconds_per_session=seconds_per_session or PACE,
                since=wall(),
            )
        for correction in _load(folder / "corrections.json") or []:
            self._apply(Correction.model_validate(correction))

    def now(self) -> datetime:
        """Return market time.  What was once shown is kept first, so no restart turns the clock back."""
        with self._lock:
            return self._advanced().now

    def clock(self) -> dict[str, Any]:
        """Return what GET /clock answers."""
        with self._lock:
            return clock_answer(self._advanced(), self._opens, self._closes)

    def set_clock(self, change: ClockChange) -> dict[str, Any]:
        """Change the clock. Raises ValueError for a time outside the history."""
        with self._lock:
            state = self._advanced()
            if change.now is not None:
                turnable(change.now)
                now = change.now.astimezone(UTC)
                if not self._opens[0] <= now <= self._closes[-1]:
                    raise ValueError(f"now must lie between {self._opens[0]} and {self._closes[-1]}")
                state = replace(state, now=now, since=self._wall())
            if change.running is not None and change.running != state.running:
                state = replace(state, running=change.running, since=self._wall())
            if change.seconds_per_session is not None:
                state = replace(state, seconds_per_session=change.seconds_per_session, since=self._wall())
            self._keep(state)
            return clock_answer(state, self._opens, self._closes)

    def symbols(self) -> list[dict[str, Any]]:
        """Return what is listed, and how many sessions of it are visible."""
        now = self.now()
        return [
            {
                "symbol": symbol,
                "name": listing.company.name,
                "first_session": listing.sessions[0].day.isoformat(),
                "last_session": listing.sessions[-1].day.isoformat(),
                "sessions": len(listing.sessions),
                "visible": listing.visible(now),
            }
            for symbol, listing in sorted(self._listings.items())
        ]

    def chart(self, symbol: str, start: int, end: int) -> dict[str, Any]:
        """Return Yahoo's chart. Raises NoData."""
        listing = self._listings.get(symbol)
        if listing is None:
            raise unknown_symbol()
        return chart(listing, self.now(), start, end)

    def correct(self, correction: Correction) -> None:
        """Tell a session otherwise from now on. Raises ValueError for a session that does not exist."""
        with self._lock:
            self._apply(correction)
            file = self._folder / "corrections.json"
            _save(file, [*(_load(file) or []), correction.model_dump(mode="json")])

    def _apply(self, correction: Correction) -> None:
        listing = self._listings.get(correction.symbol)
        days = [session.day for session in listing.sessions] if listing else []
        if listing is None or correction.session not in days:
            raise ValueError(f"{correction.symbol} has no session {correction.session}")
        sessions = list(listing.sessions)
        place = days.index(correction.session)
        sessions[place] = replace(
            sessions[place], **correction.model_dump(exclude={"symbol", "session"}, exclude_none=True)
        )
        self._listings[correction.symbol] = replace(listing, sessions=tuple(sessions))

    def _advanced(self) -> ClockState:
        state = advance(self._state, self._closes, self._wall())
        if state.now != self._state.now:
            self._keep(state)
        self._state = state
        return state

    def _keep(self, state: ClockState) -> None:
        _save(self._folder / "clock.json", state.to_json())
        self._state = state


def load_listings() -> dict[str, Listing]:
    """Read the package's price data.

    Raises:
        OutsideSessions: a day of the data is no session of the calendar.
    """
    calendar = Calendar("XNYS")
    listings = {}
    for symbol, company in COMPANIES.items():
        text = (resources.files("bokeh_sampledata") / "_data" / f"{symbol}.csv").read_text(encoding="utf-8")
        sessions = read_sessions(csv.DictReader(text.splitlines()))
        bounds = [calendar.session(session.day) for session in sessions]
        opens, closes = zip(*bounds, strict=True)
        listings[symbol] = Listing(symbol=symbol, company=company, sessions=sessions, opens=opens, closes=closes)
    return listings


def _load(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _save(file: Path, content: Any) -> None:
    """Replace a file so that a crash leaves the old one or the new one."""
    temporary = file.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
