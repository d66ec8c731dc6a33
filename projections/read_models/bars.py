"""Read model `stock_data`: the newest revision of each bar."""

from contracts.documents import BARS_COLLECTION
from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from projections.documents import stored
from projections.folds import Document, FoldFunction, ReadModel
from streaming.records import Record


def key_of(bar: BarClosed) -> str:
    """Name the bar: `AAPL|P1D|2012-01-03T21:00:00Z`."""
    return bar.bar_id


def apply(document: Document | None, record: Record) -> Document:
    """Keep the highest revision, whatever the order; of two reports of one revision the first."""
    bar = record.event
    assert isinstance(bar, BarClosed)
    if document is not None and bar.revision <= document["revision"]:
        return document
    return stored(bar)


BARS = ReadModel(
    BARS_COLLECTION,
    {STOCK_DATA.name: FoldFunction(key_of, apply)},
    # Ranges of `_id` would do on MongoDB; the embedded server scans the collection for them.
    indexes=(("symbol", "interval", "closed_at"),),
)
