"""The event of a bar."""

from dataclasses import dataclass
from datetime import datetime

from contracts.events.base import BrokenInvariant, Event
from contracts.ids import bar_id
from contracts.rules import INFINITY, LONGS, bar_violations


@dataclass(frozen=True, slots=True, kw_only=True)
class BarClosed(Event):
    """One bar has closed, or a closed bar was corrected.  Prices are raw, in `currency`."""

    symbol: str
    exchange: str | None = None
    interval: str
    opened_at: datetime
    closed_at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    currency: str
    source: str
    revision: int
    recorded_at: datetime
    payload_sha256: str
    vwap: float | None = None
    trades: int | None = None

    def __post_init__(self) -> None:
        # One expression for the good case: this runs for every event read.
        low, high = self.low, self.high
        if (
            0 < low <= self.open <= high < INFINITY
            and low <= self.close <= high
            and 0 <= self.volume < INFINITY
            and self.opened_at < self.closed_at
            and self.revision >= 0
            and self.symbol
            and (self.vwap is None or 0 < self.vwap < INFINITY)
            and (self.trades is None or 0 <= self.trades < LONGS)
        ):
            return
        raise BrokenInvariant("; ".join(bar_violations(self)))

    @property
    def bar_id(self) -> str:
        """Return the bar's name whatever its revision."""
        return bar_id(self.symbol, self.interval, self.closed_at)

    @property
    def happened_at(self) -> datetime:
        return self.closed_at

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.symbol, self.interval, self.closed_at, self.revision)
