"""The splits and dividends beside a Yahoo chart, each judged by itself: a bad one costs no bar."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.files.numbers import excerpt, parse_number
from producers.sources.base import ReportRefusal, VendorAction
from producers.sources.currencies import major_unit
from producers.sources.splits import AdjustedSplit, factor_after, raw_amount, share_ratio

LATEST = 100_000_000_000
Second = Annotated[int, Field(ge=-10_000_000_000, le=LATEST)]  # epoch seconds that dates can hold
_LEAST_YIELD = Decimal("0.00025")  # a dividend below this part of the price is rather in another unit


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)

    date: Second


class _SplitEvent(_Event):
    numerator: Any = None
    denominator: Any = None
    splitRatio: Any = None


class _DividendEvent(_Event):
    amount: Decimal
    currency: str | None = None


_E = TypeVar("_E", bound=_Event)


@dataclass(frozen=True, slots=True)
class Chart:
    """What the events of a chart are read by: the exchange's zone, the currency of the prices, closes as sent."""

    symbol: str
    zone: ZoneInfo
    currency: str
    closes: Mapping[date, Decimal]

    def day(self, second: int) -> date:
        """Return the exchange's day of a stamp."""
        return datetime.fromtimestamp(second, self.zone).date()


def read_splits(events: object, chart: Chart) -> tuple[list[AdjustedSplit], list[ReportRefusal]]:
    """Return the splits that can be read, future ones among them, and what cannot.

    Prices before a split that cannot be read stand as they were sent: nobody can have divided them by its ratio.  A
    day has one split, the last that is told: prices were divided by it once.
    """
    splits: dict[date, AdjustedSplit] = {}
    refusals: list[ReportRefusal] = []
    for event in _readable(events, "split", _SplitEvent, chart, refusals):
        at = f"split {chart.day(event.date)}"
        ratio = share_ratio(event.numerator, event.denominator)
        if ratio is None:
            wrong = f"{event.numerator} new shares for {event.denominator} are no split"
            new, _, old = str(event.splitRatio).partition(":")
            ratio = share_ratio(new, old)
            wrong += f"; read as its splitRatio says, {event.splitRatio}" if ratio else "; it is not published"
            refusals.append(ReportRefusal(chart.symbol, at, wrong))
        if ratio:
            split = AdjustedSplit(chart.day(event.date), ratio)
            if split.ex_date in splits and splits[split.ex_date] != split:
                other = splits[split.ex_date].ratio
                refusals.append(
                    ReportRefusal(chart.symbol, at, f"a split of {other:g} and one of {ratio:g}: the last is read")
                )
            splits[split.ex_date] = split
    return list(splits.values()), refusals


def read_dividends(
    events: object, chart: Chart, in_force: list[AdjustedSplit]
) -> tuple[list[VendorAction], list[ReportRefusal]]:
    """Return the dividends that can be read, raw and in a currency's major unit, and what cannot.

    A dividend is in its own currency where it names one, else in the chart's.

    Args:
        in_force: the splits that the amounts are adjusted for.
    """
    actions: list[VendorAction] = []
    refusals: list[ReportRefusal] = []
    for event in _readable(events, "dividend", _DividendEvent, chart, refusals):
        ex_date = chart.day(event.date)
        currency, units = major_unit(event.currency or chart.currency)
        if units > 1 and not event.currency and (doubt := _doubt(event.amount, ex_date, chart, currency)):
            refusals.append(ReportRefusal(chart.symbol, f"dividend {ex_date}", doubt))
            continue
        amount, noise = raw_amount(event.amount, factor_after(in_force, ex_date))
        actions.append(
            VendorAction(
                symbol=chart.symbol,
                kind="DIVIDEND",
                ex_date=ex_date,
                value=amount / units,
                currency=currency,
                noise=noise / units,
            )
        )
    return actions, refusals


def _readable(events: object, kind: str, shape: type[_E], chart: Chart, refusals: list[ReportRefusal]) -> Iterator[_E]:
    """Yield the entries of a kind that can be read, and add the others to the refusals."""
    for name, entry in _listed(events, f"{kind}s"):
        try:
            yield shape.model_validate(entry)
        except ValidationError as error:
            refusals.append(_unreadable(chart, kind, name, entry, error))


def _listed(events: object, kinds: str) -> Iterator[tuple[str, object]]:
    """Yield what is listed, with its name; nothing is null, an empty list or no entry at all."""
    part = events.get(kinds) if isinstance(events, dict) else events
    if isinstance(part, dict):
        yield from part.items()
    elif isinstance(part, list):
        yield from ((str(place), entry) for place, entry in enumerate(part))
    elif part is not None:
        yield "", part


def _doubt(amount: Decimal, ex_date: date, chart: Chart, major: str) -> str | None:
    """Say why an amount without a currency is rather not in the chart's minor unit; None where it may well be."""
    before = [day for day in chart.closes if day < ex_date]
    close = chart.closes[max(before)] if before else None
    if not close or amount <= 0 or amount >= close * _LEAST_YIELD:
        return None
    return (
        f"a dividend of {amount} names no currency: in {chart.currency} it would be {100 * amount / close:.2g} % of "
        f"the price, so it may be in {major}; it is not published"
    )


def _unreadable(chart: Chart, kind: str, name: str, entry: object, error: ValidationError) -> ReportRefusal:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "entry"
    second = parse_number(entry.get("date")) if isinstance(entry, dict) else None
    day: object = name
    if second is not None and second.is_finite() and abs(second) < LATEST:
        day = chart.day(int(second))
    return ReportRefusal(
        chart.symbol, f"{kind} {day}", f"unreadable {kind}: {where}: {first['msg']}: {excerpt(str(entry))}"
    )
