"""The event of a split or a dividend."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from contracts.events.base import BrokenInvariant, Event
from contracts.rules import positive


@dataclass(frozen=True, slots=True, kw_only=True)
class CorporateActionAnnounced(Event):
    """A split or a dividend.  `ratio`: new shares for one old; `amount`: cash for one share, raw."""

    symbol: str
    kind: Literal["UNKNOWN", "SPLIT", "DIVIDEND"]
    ex_date: date
    ratio: float | None = None
    amount: float | None = None
    currency: str | None = None
    source: str
    revision: int
    recorded_at: datetime

    def __post_init__(self) -> None:
        if self.kind == "SPLIT" and not positive(self.ratio):
            raise BrokenInvariant(f"a SPLIT needs a positive ratio, not {self.ratio}")
        if self.kind == "DIVIDEND" and not (positive(self.amount) and self.currency):
            raise BrokenInvariant(
                f"a DIVIDEND needs a positive amount and a currency, not {self.amount} {self.currency}"
            )

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.symbol, self.kind, self.ex_date, self.revision)
