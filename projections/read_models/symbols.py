"""Read model `symbols`: per symbol the first and last bar, counts, the last close and the champion's last forecast.

The fields on top are those of the interval that was seen first; `intervals` holds the same for every interval.
"""

from typing import Any

from contracts.documents import SEEN, SYMBOLS_COLLECTION
from contracts.events import BarClosed, ForecastIssued
from contracts.topics import STOCK_DATA, STOCK_FORECASTS
from projections.documents import stored
from projections.folds import Document, FoldFunction, ReadModel
from projections.read_models import bar_bitmap
from streaming.records import Record


def key_of(event: BarClosed | ForecastIssued) -> str:
    """Name the symbol."""
    return event.symbol


def apply_bar(document: Document | None, record: Record) -> Document:
    """Count a bar or a correction once, and move the ends."""
    closed = record.event
    assert isinstance(closed, BarClosed)
    document = document or _empty(closed.symbol)
    interval = closed.interval
    masks = document[SEEN].get(interval, {})
    fields = _with_bar(document["intervals"].get(interval), closed, masks)
    intervals = {**document["intervals"], interval: fields}
    first = document["interval"] or interval
    return {
        **document,
        **intervals[first],
        "interval": first,
        "intervals": intervals,
        SEEN: {
            **document[SEEN],
            interval: bar_bitmap.mark_bar(masks, interval, closed.closed_at, closed.revision),
        },
    }


def apply_forecast(document: Document | None, record: Record) -> Document:
    """Keep the champion's newest forecast, by origin and then by time of issue."""
    issued = record.event
    assert isinstance(issued, ForecastIssued)
    document = document or _empty(issued.symbol)
    last = document["last_forecast"]
    fields = stored(issued)
    if issued.model.role != "CHAMPION" or (last and _age(fields) <= _age(last)):
        return document
    kept = ("forecast_id", "origin", "issued_at", "model")
    return {**document, "last_forecast": {name: fields[name] for name in kept}}


def _empty(symbol: str) -> Document:
    return {
        "symbol": symbol,
        "interval": None,
        "exchange": None,
        "currency": None,
        "first_closed_at": None,
        "last_closed_at": None,
        "last_close": None,
        "last_revision": None,
        "last_recorded_at": None,
        "bars": 0,
        "revisions": 0,
        "intervals": {},
        "last_forecast": None,
        SEEN: {},
    }


def _with_bar(fields: Document | None, closed: BarClosed, masks: bar_bitmap.Masks) -> Document:
    bar = stored(closed)
    at, revision, recorded = bar["closed_at"], bar["revision"], bar["recorded_at"]
    told = bar_bitmap.holds(masks, closed.interval, closed.closed_at, revision)
    known = bar_bitmap.holds_any(masks, closed.interval, closed.closed_at)
    old: dict[str, Any] = fields or {
        "first_closed_at": at,
        "last_closed_at": at,
        "last_recorded_at": recorded,
        "last_revision": -1,
        "bars": 0,
        "revisions": 0,
    }
    new = {
        **old,
        "first_closed_at": min(old["first_closed_at"], at),
        "last_recorded_at": max(old["last_recorded_at"], recorded),
        "bars": old["bars"] + (not known),
        "revisions": old["revisions"] + (revision > 0 and not told),
    }
    if (at, revision) > (old["last_closed_at"], old["last_revision"]):
        new |= {
            "last_closed_at": at,
            "last_revision": revision,
            "last_close": bar["close"],
            "exchange": bar["exchange"],
            "currency": bar["currency"],
        }
    return new


def _age(forecast: Document) -> tuple[Any, Any]:
    return forecast["origin"], forecast["issued_at"]


SYMBOLS = ReadModel(
    SYMBOLS_COLLECTION,
    {STOCK_DATA.name: FoldFunction(key_of, apply_bar), STOCK_FORECASTS.name: FoldFunction(key_of, apply_forecast)},
)
