"""What the document server says when it does not do what it is asked: whether that passes, and whose fault it is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    NetworkTimeout,
    OperationFailure,
    WriteConcernError,
)

from contracts.documents import FENCE
from projections.folds import Document
from streaming.errors import StoreAway, TooSlow

# Answers of a server on its way down or up, short of room, or changing its primary: it will be back.  43 and 175:
# a collection was renamed under a cursor.
_PASSING = {6, 7, 24, 43, 50, 89, 91, 112, 175, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 14031}


class Superseded(Exception):
    """Another writer, or a rebuild, has moved on from where this writer stands: it must start again."""


class DocumentRefused(Exception):
    """The server refuses a document for what is in it: a fold or a rule of the collection is wrong, not the server."""


@contextmanager
def reachable() -> Iterator[None]:
    """Make of what the server or the driver says an `StoreAway`, or a `TooSlow`, where that passes."""
    try:
        yield
    except ConnectionFailure as error:
        said = str(error).partition(" (configured timeouts")[0]  # what follows describes the driver's own state
        kind = TooSlow if isinstance(error, NetworkTimeout) else StoreAway
        raise kind(f"MongoDB does not answer: {said}") from error
    except BulkWriteError as error:
        # A write that was made but not journalled is not durable: it is made again.
        if error.details.get("writeConcernErrors") or _codes(error) & _PASSING:
            raise StoreAway(f"MongoDB did not take a write: {error.details}") from error
        raise
    except OperationFailure as error:
        if error.timeout:
            raise TooSlow(f"MongoDB did not finish in time: {error}") from error
        if error.code in _PASSING or isinstance(error, WriteConcernError):
            raise StoreAway(f"MongoDB cannot answer now: {error}") from error
        raise


def _codes(error: BulkWriteError) -> set[int]:
    return {int(found["code"]) for found in error.details.get("writeErrors", [])}


def refusal_of(collection: str, documents: Sequence[Document], refused: Sequence[Mapping[str, Any]]) -> DocumentRefused:
    """Say which document of a bulk is refused, why, and which events made it."""
    document = documents[refused[0]["index"]]
    places = [f"{topic}[{place}]@{at}" for topic, ends in document[FENCE].items() for place, at in ends.items()]
    return DocumentRefused(
        f"{collection}: the server refuses {len(refused)} documents, such as {document['_id']} (last event: "
        f"{', '.join(places)}): {refused[0]['errmsg']}. Nothing is skipped: mend what refuses it, and start again"
    )
