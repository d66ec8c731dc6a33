"""What the replay exchange lists: the shares of its price data, with their real splits and dividends.

The price data holds neither.  Splits and ex-dates are those the companies announced; a test holds them against the
data: each split shows as half the price, and each dividend, and no other day, as a step of the adjusted column.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Announced = tuple[tuple[date, Decimal], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A listed share.

    Attributes:
        market: the exchange as Yahoo names it, in short and in full.
        splits: ex-date and new shares for one old share.
        dividends: ex-date and cash for one share, raw, in `currency`.
    """

    name: str
    market: tuple[str, str]
    splits: Announced = ()
    dividends: Announced = ()
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSession:
    """One session's raw prices, in the company's currency, and its volume."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


def read_sessions(rows: Iterable[Mapping[str, str]]) -> tuple[ListedSession, ...]:
    """Read rows of `Date, Open, High, Low, Close, Volume` (raw), oldest first."""
    return tuple(
        ListedSession(
            day=date.fromisoformat(row["Date"]),
            open=Decimal(row["Open"]),
            high=Decimal(row["High"]),
            low=Decimal(row["Low"]),
            close=Decimal(row["Close"]),
            volume=int(row["Volume"]),
        )
        for row in rows
    )


def _announced(text: str) -> Announced:
    """Read `amount: day day ...;` with days as YYMMDD."""
    found = []
    for entry in filter(None, map(str.strip, text.split(";"))):
        amount, _, days = entry.partition(":")
        found += [
            (date(2000 + int(day[:2]), int(day[2:4]), int(day[4:])), Decimal(amount.strip())) for day in days.split()
        ]
    return tuple(sorted(found))


_NASDAQ = ("NMS", "NasdaqGS")
_NYSE = ("NYQ", "NYSE")

COMPANIES: Mapping[str, Company] = {
    "AAPL": Company(
        name="Apple Inc.",
        market=_NASDAQ,
        splits=_announced("2: 000621 050228"),
        dividends=_announced("2.65: 120809 121107 130207"),
    ),
    "FB": Company(name="Facebook, Inc.", market=_NASDAQ),
    "GOOG": Company(name="Google Inc.", market=_NASDAQ),
    "IBM": Company(
        name="International Business Machines Corporation",
        market=_NYSE,
        dividends=_announced(
            """
            0.13: 000508 000808 001108 010207; 0.14: 010508 010808 011107 020206;
            0.15: 020508 020807 021106 030206; 0.16: 030507 030806 031106 040206;
            0.18: 040506 040806 041108 050208; 0.20: 050506 050808 051108 060208;
            0.30: 060508 060808 061108 070207; 0.40: 070508 070808 071107 080206;
            0.50: 080507 080806 081106 090206; 0.55: 090506 090806 091106 100208;
            0.65: 100506 100806 101108 110208; 0.75: 110506 110808 111108 120208;
            0.85: 120508 120808 121107 130206
            """
        ),
    ),
    "MSFT": Company(
        name="Microsoft Corporation",
        market=_NASDAQ,
        splits=_announced("2: 030218"),
        dividends=_announced(
            """
            0.08: 030219 040823 050215 050516 050815 051115; 0.16: 031015;
            3.08: 041115;
            0.09: 060215 060515 060815; 0.10: 061114 070213 070515 070814;
            0.11: 071113 080219 080513 080819; 0.13: 081118 090217 090519 090818 091117 100216 100518 100817;
            0.16: 101116 110215 110517 110816; 0.20: 111115 120214 120515 120814; 0.23: 121113 130219
            """
        ),
    ),
}
