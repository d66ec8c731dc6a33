"""What is known of each symbol that is polled: for `/status`, and for when to look again."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.ids import stamp
from producers.sources.base import ReportRefusal

SHOWN = 20  # refusals that /status lists
_SLOWEST = 30.0  # seconds between two looks at a vendor that is down
_REFUSED = 300.0  # the same for one that refuses


@dataclass(slots=True)
class SymbolState:
    """One symbol.

    Attributes:
        refusals: what is refused at present, by its time; each was logged once.
        answers: looks that brought a report, or a refusal that asking again would not change.
        failures: failed looks in a row.
        next_at: when to look again, in seconds of the monotonic clock.
        full_at: when to read the whole history again.
    """

    symbol: str
    interval: str
    published: int = 0
    revised: int = 0
    actions: int = 0
    refusals: dict[str, ReportRefusal] = field(default_factory=dict)
    failures: int = 0
    errors: int = 0
    error: str | None = None
    error_at: datetime | None = None
    answers: int = 0
    next_at: float = 0.0
    full_at: float = 0.0

    def succeeded(self, now: float, period: float) -> None:
        """Take note of a look that worked."""
        self.answers += 1
        self.failures = 0
        self.error = None
        self.next_at = now + period

    def failed(
        self, reason: str, at: datetime, now: float, period: float, *, refused: bool = False, wait: float | None = None
    ) -> None:
        """Take note of a failure, and look again later the more there were in a row.

        Args:
            wait: seconds that the vendor asks for.
        """
        slowest = max(_REFUSED if refused else _SLOWEST, period)
        self.error, self.error_at = reason, at
        self.answers += refused
        self.errors += 1
        self.failures += 1
        self.next_at = now + max(wait or 0.0, min(slowest, period * 2.0 ** min(self.failures, 20)))

    def refuse(self, refusal: ReportRefusal) -> bool:
        """Take note of a refusal; tell whether it is news."""
        news = self.refusals.get(refusal.at) != refusal
        self.refusals[refusal.at] = refusal
        return news

    def status(self, last: datetime | None, now: float) -> dict[str, Any]:
        """Return what /status tells of the symbol."""
        shown = list(self.refusals.values())[-SHOWN:]
        return {
            "symbol": self.symbol,
            "interval": self.interval,
            "last_bar": stamp(last) if last else None,
            "published": self.published,
            "revised": self.revised,
            "actions": self.actions,
            "refused": len(self.refusals),
            "refusals": [{"at": refusal.at, "reason": refusal.reason} for refusal in shown],
            "answers": self.answers,
            "errors": self.errors,
            "failures_in_a_row": self.failures,
            "error": self.error,
            "last_error_at": stamp(self.error_at) if self.error_at else None,
            "next_look_in_seconds": round(max(0.0, self.next_at - now), 1),
        }
