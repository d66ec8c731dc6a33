"""Read model `corporate_actions`: the newest revision of each split and dividend.  `ex_date` is ISO text.

`_earlier` holds the other revisions by number, so that what was known at any moment can be told.
"""

from contracts.documents import ACTIONS_COLLECTION, EARLIER
from contracts.events import CorporateActionAnnounced
from contracts.topics import CORPORATE_ACTIONS as TOPIC
from projections.documents import stored
from projections.folds import Document, FoldFunction, ReadModel
from streaming.records import Record


def key_of(action: CorporateActionAnnounced) -> str:
    """Name the action: `AAPL|2005-02-28|SPLIT`."""
    return f"{action.symbol}|{action.ex_date.isoformat()}|{action.kind}"


def apply(document: Document | None, record: Record) -> Document:
    """Keep the highest revision on top, whatever the order; of two reports of one revision the first."""
    action = record.event
    assert isinstance(action, CorporateActionAnnounced)
    new = stored(action)
    if document is None:
        return new
    earlier = document.get(EARLIER, {})
    if action.revision > document["revision"]:
        old = {name: document[name] for name in new if name in document}
        return {**new, EARLIER: {**earlier, str(old["revision"]): old}}
    if action.revision == document["revision"] or str(action.revision) in earlier:
        return document
    return {**document, EARLIER: {**earlier, str(action.revision): new}}


ACTIONS = ReadModel(ACTIONS_COLLECTION, {TOPIC.name: FoldFunction(key_of, apply)})
