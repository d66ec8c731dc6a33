"""The replay exchange's answers, in Yahoo's own shape: what is known of a share at a moment, and not a moment more.

Like Yahoo's, the quotes are divided by every split up to the moment of the request and rounded to single precision.
`adjclose` is computed from the same splits and from the dividends gone ex by then; the data's own adjusted column knows
the future and is not used.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from producers.exchange.listings import Announced, Company, ListedSession

RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]
NEW_YORK = ZoneInfo("America/New_York")
Steps = list[tuple[int, Decimal]]  # a session's place, and a factor or an amount
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A share with its sessions; `opens` and `closes` (aware, UTC) stand beside them."""

    symbol: str
    company: Company
    sessions: Sequence[ListedSession]
    opens: Sequence[datetime]
    closes: Sequence[datetime]

    def visible(self, now: datetime) -> int:
        """Return how many sessions have closed."""
        return bisect_right(self.closes, now)


class NoData(Exception):
    """Yahoo would answer with an error; the code and status are its own."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"chart": {"result": None, "error": {"code": code, "description": description}}}


def unknown_symbol() -> NoData:
    """Return Yahoo's answer about a symbol that it does not have."""
    return NoData(404, "Not Found", "No data found, symbol may be delisted")


def chart(listing: Listing, now: datetime, start: int, end: int) -> dict[str, Any]:
    """Return the daily chart of [start, end] (epoch seconds) as of `now`.

    Raises:
        NoData: the share has no closed session in that range.
    """
    count = listing.visible(now)
    first = bisect_left(listing.opens, start, 0, count, key=_second)
    last = bisect_right(listing.opens, end, 0, count, key=_second)
    if first >= last:
        raise NoData(400, "Bad Request", f"Data doesn't exist for startDate = {start}, endDate = {end}")
    shown = range(first, last)
    sessions = listing.sessions[first:last]
    splits = _steps(listing, count, listing.company.splits)
    shares = _later(splits, shown)
    held = _later(_dividend_steps(listing, count), shown)
    prices = {
        name: [_single(getattr(session, name) / factor) for session, factor in zip(sessions, shares, strict=True)]
        for name in ("open", "high", "low", "close")
    }
    volumes = [int(session.volume * factor) for session, factor in zip(sessions, shares, strict=True)]
    adjusted = [
        _single(session.close / factor * kept) for session, factor, kept in zip(sessions, shares, held, strict=True)
    ]
    result: dict[str, Any] = {
        "meta": _meta(listing, count),
        "timestamp": [_second(moment) for moment in listing.opens[first:last]],
        "indicators": {"quote": [{**prices, "volume": volumes}], "adjclose": [{"adjclose": adjusted}]},
    }
    if events := _events(listing, count, shown, splits):
        result["events"] = events
    return {"chart": {"result": [result], "error": None}}


def _meta(listing: Listing, count: int) -> dict[str, Any]:
    short, full = listing.company.market
    opened = listing.opens[count - 1].astimezone(NEW_YORK)
    return {
        "currency": listing.company.currency,
        "symbol": listing.symbol,
        "exchangeName": short,
        "fullExchangeName": full,
        "instrumentType": "EQUITY",
        "firstTradeDate": _second(listing.opens[0]),
        "regularMarketTime": _second(listing.closes[count - 1]),
        "hasPrePostMarketData": False,
        "gmtoffset": int((opened.utcoffset() or timedelta(0)).total_seconds()),
        "timezone": opened.tzname(),
        "exchangeTimezoneName": NEW_YORK.key,
        "regularMarketPrice": float(listing.sessions[count - 1].close),
        "longName": listing.company.name,
        "priceHint": 2,
        "dataGranularity": "1d",
        "range": "",
        "validRanges": RANGES,
    }


def _events(listing: Listing, count: int, shown: range, splits: Steps) -> dict[str, Any]:
    """Return the splits and dividends that went ex in the sessions shown, dividends for one of today's shares."""
    events: dict[str, dict[str, Any]] = {}
    for place, ratio in splits:
        if place in shown:
            second = _second(listing.opens[place])
            split = {"date": second, "numerator": float(ratio), "denominator": 1.0, "splitRatio": f"{ratio}:1"}
            events.setdefault("splits", {})[str(second)] = split
    for place, amount in _steps(listing, count, listing.company.dividends):
        if place in shown:
            second = _second(listing.opens[place])
            [factor] = _later(splits, range(place, place + 1))
            dividend = {"amount": round(float(amount / factor), 6), "date": second}
            events.setdefault("dividends", {})[str(second)] = dividend
    return events


def _steps(listing: Listing, count: int, announced: Announced) -> Steps:
    """Return what went ex by now, at its session's place, oldest first."""
    placed = [(bisect_left(listing.sessions, day, key=lambda session: session.day), value) for day, value in announced]
    return [(place, value) for place, value in placed if place < count]


def _dividend_steps(listing: Listing, count: int) -> Steps:
    """Return the factors by which dividends lower earlier closes: 1 - dividend / close before (CRSP's method)."""
    splits = dict(_steps(listing, count, listing.company.splits))
    return [
        (place, 1 - amount * splits.get(place, _ONE) / listing.sessions[place - 1].close)
        for place, amount in _steps(listing, count, listing.company.dividends)
        if place > 0
    ]


def _later(steps: Steps, places: range) -> list[Decimal]:
    """Return for each place the product of the factors of later steps."""
    pending = list(steps)
    factor, factors = _ONE, []
    for place in reversed(places):
        while pending and pending[-1][0] > place:
            factor *= pending.pop()[1]
        factors.append(factor)
    return factors[::-1]


def _second(moment: datetime) -> int:
    return int(moment.timestamp())


def _single(value: Decimal) -> float:
    """Round to single precision, as Yahoo's prices are: 346.2 arrives as 346.20001220703125."""
    rounded: float = struct.unpack("f", struct.pack("f", float(value)))[0]
    return rounded
