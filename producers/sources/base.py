"""What every source offers: bars and corporate actions as a vendor reports them, or one of two failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol

SOURCE_INTERVALS = ("P1D", "PT1H", "PT1M")


class VendorDown(Exception):
    """The vendor cannot be used now: network, 5xx, 429, content that makes no sense.  Worth trying again.

    Attributes:
        retry_after: seconds that the vendor, or our own budget, asks us to wait; None where nobody said.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class VendorRefused(Exception):
    """The vendor will not answer this request however often it is made: unknown symbol, bad key, wrong setting."""


class WrongSetting(VendorRefused):
    """The vendor answers nothing until a setting is mended, such as a key: the source stops, for all symbols."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorBar:
    """One bar in raw prices, not yet judged.

    Attributes:
        stamp: a session's date (daily bars), or an aware moment.
        stamps: whether a moment marks the bar's open or its close.  Vendors differ, and taking one for the
            other is look-ahead.
        open: and the further prices, in `currency`; None where the vendor sent nothing.
        exchange: ISO 10383 MIC, where the vendor tells.
        calendar: name of the calendar (exchange_calendars) of its sessions, where `exchange` does not tell it.
        vwap: average price weighted by volume, in `currency`; None where the vendor does not tell.
        trades: number of trades; None where the vendor does not tell.
        price_noise: error, in `currency`, that the vendor's own rounding leaves in a price: a smaller difference
            from what was published is no correction.
        volume_noise: the same for the volume, in units traded.
    """

    symbol: str
    interval: str
    stamp: date | datetime
    stamps: Literal["open", "close"] = "open"
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal | None
    currency: str
    exchange: str | None = None
    calendar: str | None = None
    vwap: Decimal | None = None
    trades: Decimal | None = None
    price_noise: Decimal = Decimal(0)
    volume_noise: Decimal = Decimal(0)

    @property
    def incomplete(self) -> bool:
        """Tell whether the vendor left out a price or the volume."""
        return None in (self.open, self.high, self.low, self.close, self.volume)

    @property
    def wholeness(self) -> int:
        """Return how much of a bar it tells; of two reports of one bar, the lesser never displaces the greater.

        0: something is missing, no number, or cannot be.  1 and 2: nothing was traded, at one price or at several:
        what a vendor sends of a session under way, or of a market without volumes.  3: a bar.
        """
        values = [self.open, self.high, self.low, self.close, self.volume]
        told = [value for value in values if value is not None and value.is_finite()]
        if len(told) < len(values):
            return 0
        open_, high, low, close, volume = told
        if low > min(open_, close) or high < max(open_, close):
            return 0
        return wholeness(high > low, volume > 0)


def wholeness(ranged: bool, traded: bool) -> int:
    """Return the `wholeness` of a bar that has all its prices: whether they differ, and whether there was volume."""
    return 3 if traded else 1 + ranged


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorAction:
    """A split (`value`: new shares for one old share) or a dividend (`value`: cash for one share, raw)."""

    symbol: str
    kind: Literal["SPLIT", "DIVIDEND"]
    ex_date: date
    value: Decimal
    currency: str | None = None
    noise: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReportRefusal:
    """What was not published, and why.

    Attributes:
        at: the bar's close as RFC 3339, or the vendor's own stamp where no close could be told.
    """

    symbol: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What one request brought."""

    bars: Sequence[VendorBar] = ()
    actions: Sequence[VendorAction] = ()
    refusals: Sequence[ReportRefusal] = ()


class Source(Protocol):
    """A vendor of market data."""

    name: str

    def fetch(self, symbol: str, interval: str, since: datetime | None) -> Report:
        """Return the bars from `since` on (None: all there are), and the corporate actions known for them.

        Bars before `since` and bars still open may be among them.

        Raises:
            VendorDown: not now.
            VendorRefused: not like this.
            WrongSetting: not at all, for no symbol, until a setting is mended.
        """
