"""Which reports of a vendor become `BarClosed`: closed, sound, and not published before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise

from contracts.events import BarClosed, BrokenInvariant, CorporateActionAnnounced
from contracts.files.numbers import plain_decimal
from contracts.ids import stamp
from producers.sessions import Calendar, OutsideSessions, calendar_of
from producers.sources.base import ReportRefusal, VendorBar, wholeness

_FIELDS = ("open", "high", "low", "close", "volume")
_SLACK = 1e-12  # doubles are no decimals


@dataclass(frozen=True, slots=True)
class KnownBar:
    """What the log holds of a bar: its newest revision and that one's content."""

    revision: int
    payload_sha256: str
    content: tuple[float, float, float, float, float]
    vwap: float | None = None
    trades: int | None = None

    @classmethod
    def of(cls, event: BarClosed) -> "KnownBar":
        """Return what an event tells of its bar."""
        return cls(event.revision, event.payload_sha256, _content(event), event.vwap, event.trades)


@dataclass(frozen=True, slots=True)
class SoundBar:
    """A closed bar that keeps the invariants, as revision 0, with the vendor's rounding errors."""

    event: BarClosed
    price_noise: float
    volume_noise: float


def judge(bar: VendorBar, source: str, calendar: str, now: datetime) -> SoundBar | ReportRefusal | None:
    """Return a sound bar, or why it is refused, or None while it is still open.

    Args:
        calendar: name of the calendar for bars whose exchange is not known.
        now: the present; becomes `recorded_at`.
    """
    try:
        opened_at, closed_at = _bounds(bar, calendar_of(bar.calendar or bar.exchange, calendar))
    except OutsideSessions as error:
        return ReportRefusal(bar.symbol, _as_text(bar.stamp), str(error))
    if closed_at > now:
        return None
    values = [bar.open, bar.high, bar.low, bar.close, bar.volume]
    missing = [name for name, value in zip(_FIELDS, values, strict=True) if value is None]
    if missing or not bar.currency:
        return ReportRefusal(bar.symbol, stamp(closed_at), f"missing: {', '.join(missing or ['currency'])}")
    decimals = [value for value in values if value is not None]
    vwap = bar.vwap if bar.volume else None  # of nothing traded there is no average; vendors write 0
    try:
        event = BarClosed(
            symbol=bar.symbol,
            exchange=bar.exchange,
            interval=bar.interval,
            opened_at=opened_at,
            closed_at=closed_at,
            **dict(zip(_FIELDS, map(float, decimals), strict=True)),
            currency=bar.currency,
            source=source,
            revision=0,
            recorded_at=now,
            payload_sha256=payload_sha256(decimals, vwap=vwap, trades=bar.trades),
            vwap=None if vwap is None else float(vwap),
            trades=None if bar.trades is None else _count(bar.trades),
        )
    except BrokenInvariant as error:
        return ReportRefusal(bar.symbol, stamp(closed_at), _reason(error, decimals))
    return SoundBar(event, float(bar.price_noise), float(bar.volume_noise))


def _reason(error: BrokenInvariant, values: list[Decimal]) -> str:
    *prices, _ = values
    if unread := [name for name, value in zip(_FIELDS, values, strict=True) if value.is_nan()]:
        return f"{error} ({', '.join(unread)}: not written as a number, or in a way that may be one of two)"
    if not any(price <= 0 for price in prices if not price.is_nan()):
        return str(error)
    return (
        f"{error} (a price at or below zero: such prices are traded at times, as of oil futures in April 2020, but "
        "forecasts here are of returns, which such a price has none of; the bar is left out)"
    )


def _bounds(bar: VendorBar, calendar: Calendar) -> tuple[datetime, datetime]:
    """Return when a bar opened and closed; a print after the end, of which nothing was traded, is the last bar's.

    Raises:
        OutsideSessions: the bar lies outside every session.
    """
    try:
        return calendar.bounds(bar.interval, bar.stamp, bar.stamps)
    except OutsideSessions:
        if bar.volume or not isinstance(bar.stamp, datetime) or bar.interval == "P1D":
            raise
        return calendar.last_bounds(bar.interval, bar.stamp.astimezone(UTC))


def decide(known: Mapping[datetime, KnownBar], bar: SoundBar) -> BarClosed | None:
    """Return the event to publish: a new bar, the next revision of a changed one, or None for what the log has.

    The hash of the raw content tells a change.  Three differences are no change: one within the vendor's own rounding,
    which splits move; a vwap or a number of trades that only one of the two reports has (or a source that begins to
    report them would rewrite its whole history); and a quote, without volume, of a bar that the log holds whole.
    """
    before = known.get(bar.event.closed_at)
    if before is None:
        return bar.event
    if _wholeness(_content(bar.event)) < _wholeness(before.content):
        return None
    if before.payload_sha256 == bar.event.payload_sha256 or (_within_noise(before, bar) and _agree(before, bar)):
        return None
    return replace(bar.event, revision=before.revision + 1)


def payload_sha256(values: list[Decimal], **told: Decimal | None) -> str:
    """Return the SHA-256 of a bar's open, high, low, close and volume in their canonical decimal form.

    Args:
        told: what only some vendors tell, by name; what is None leaves the hash as it was before we knew of it.
    """
    parts = [_canonical(value) for value in values]
    parts += [f"{name}={_canonical(value)}" for name, value in told.items() if value is not None]
    return sha256("|".join(parts).encode()).hexdigest()


def looks_misadjusted(known: Mapping[datetime, KnownBar], bars: list[SoundBar]) -> float | None:
    """Return the factor if a report would move most of a known history by one and the same factor, else None.

    Vendors at times adjust prices for a split before they list it, or list it before they adjust.  Such a report
    corrects nothing; published, it would rewrite a whole history and then write it back.  A factor that lies between
    two units, such as pence and pounds, is noticed from two bars on, however many others are known.
    """
    overlap = [(before, bar.event) for bar in bars if (before := known.get(bar.event.closed_at))]
    factors = [event.close / before.content[3] for before, event in overlap]
    moved = [factor for factor in factors if abs(factor - 1) > 0.1]
    if not moved:
        return None
    middle = sorted(moved)[len(moved) // 2]
    most = len(moved) >= 3 and len(moved) * 2 >= len(factors)
    rescaled = _is_unit(middle) and (len(moved) > 1 or len(moved) == len(factors))  # one bar among others is mended
    if not most and not rescaled:
        return None
    alike = sum(abs(factor / middle - 1) < 0.01 for factor in moved)
    return middle if alike == len(moved) else None


@dataclass(frozen=True, slots=True)
class UnitChange:
    """Where a series goes on in another unit: the closes of the two bars, and the factor between them."""

    before: datetime
    after: datetime
    factor: float


def unit_change(
    known: Mapping[datetime, KnownBar], bars: list[SoundBar], splits: Sequence[CorporateActionAnnounced]
) -> UnitChange | None:
    """Return where a report goes over from one unit to another, such as from pence to pounds; else None.

    No price rises a hundredfold from one bar to the next; a split explains it, and so does a change that was published
    before.

    Args:
        bars: in the order of their closes.
        splits: that the report tells.
    """
    for before, after in pairwise(bar.event for bar in bars):
        factor = after.close / before.close
        for split in splits:
            if before.closed_at.date() < split.ex_date <= after.closed_at.date():
                factor *= split.ratio or 1.0
        if not _is_unit(factor) or not _is_unit(factor * after.open / after.close):
            continue
        if not (_holds(known, before) and _holds(known, after)):
            return UnitChange(before.closed_at, after.closed_at, factor)
    return None


def _is_unit(factor: float) -> bool:
    """Tell whether a factor lies by that of a minor unit, or of a mil, as far as a day's change may carry it."""
    upward = max(factor, 1 / factor)
    return any(unit / 1.6 <= upward <= unit * 1.6 for unit in (100, 1000))


def _holds(known: Mapping[datetime, KnownBar], event: BarClosed) -> bool:
    before = known.get(event.closed_at)
    return before is not None and abs(event.close / before.content[3] - 1) <= 0.1


def closed_stamp(event: BarClosed) -> str:
    """Return a bar's close as refusals name it."""
    return stamp(event.closed_at)


def _wholeness(content: tuple[float, float, float, float, float]) -> int:
    _, high, low, _, volume = content
    return wholeness(high > low, volume > 0)


def _within_noise(before: KnownBar, bar: SoundBar) -> bool:
    *prices, volume = (abs(new - old) for new, old in zip(_content(bar.event), before.content, strict=True))
    return max(prices) <= bar.price_noise + _SLACK and volume <= bar.volume_noise + _SLACK


def _agree(before: KnownBar, bar: SoundBar) -> bool:
    """Tell whether two reports agree in what both of them tell beside prices and volume."""
    vwaps = [vwap for vwap in (before.vwap, bar.event.vwap) if vwap is not None]
    trades = {count for count in (before.trades, bar.event.trades) if count is not None}
    return len(trades) < 2 and (not vwaps or max(vwaps) - min(vwaps) <= bar.price_noise + _SLACK)


def _content(event: BarClosed) -> tuple[float, float, float, float, float]:
    return event.open, event.high, event.low, event.close, event.volume


def _canonical(value: Decimal) -> str:
    return plain_decimal(value) if value.is_finite() else str(value)


def _count(value: Decimal) -> int:
    if not value.is_finite() or value != value.to_integral_value():
        raise BrokenInvariant(f"trades {value} is not a whole number")
    return int(value)


def _as_text(value: date | datetime) -> str:
    return stamp(value.astimezone(UTC)) if isinstance(value, datetime) else value.isoformat()
