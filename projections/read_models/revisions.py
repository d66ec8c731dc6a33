"""Read model `stock_data_revisions`: every revision of every bar, when it was recorded and where it stands in the log.

It only grows, so it answers what was known at any moment (`recorded_at`) and at any offset (`position`).
"""

from contracts.documents import REVISIONS_COLLECTION
from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from projections.documents import stored
from projections.folds import Document, FoldFunction, ReadModel
from streaming.records import Record


def key_of(bar: BarClosed) -> str:
    """Name one revision of a bar: `AAPL|P1D|2012-01-03T21:00:00Z|0`."""
    return f"{bar.bar_id}|{bar.revision}"


def apply(document: Document | None, record: Record) -> Document:
    """Keep the first report of a revision: the same fact published twice is the same event."""
    if document is not None:
        return document
    return {**stored(record.event), "position": {"partition": record.partition, "offset": record.offset}}


REVISIONS = ReadModel(
    REVISIONS_COLLECTION,
    {STOCK_DATA.name: FoldFunction(key_of, apply)},
    indexes=(("symbol", "interval", "closed_at"),),
)
