"""Read model `promotions`: every decision on an alias; the newest `decided_at` of an alias is where it stands."""

from contracts.documents import PROMOTIONS_COLLECTION
from contracts.events import ModelPromoted
from contracts.ids import stamp
from contracts.topics import MODEL_PROMOTIONS
from projections.documents import stored
from projections.folds import Document, FoldFunction, ReadModel
from streaming.records import Record


def key_of(promotion: ModelPromoted) -> str:
    """Name the decision: `champion|2012-01-03T21:00:00Z`."""
    return f"{promotion.alias}|{stamp(promotion.decided_at)}"


def apply(document: Document | None, record: Record) -> Document:
    """Keep the first report."""
    return stored(record.event) if document is None else document


PROMOTIONS = ReadModel(PROMOTIONS_COLLECTION, {MODEL_PROMOTIONS.name: FoldFunction(key_of, apply)})
