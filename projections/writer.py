"""Write a batch of events into a collection: each document once, whatever is there already.

Inserting costs a document server a quarter of replacing, and an insert of what exists is refused at little cost.
So what is likely to be new is inserted blindly; only documents that exist are read, folded behind their fence,
and replaced if nobody else wrote in between (`_n`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from contracts.documents import FOLDED
from projections.folds import Document, Folded, ReadModel, by_document, fold
from projections.mongo import Store
from streaming.errors import StoreAway, TooSlow
from streaming.records import Partition, Record

_TRIES = 10


@dataclass(slots=True)
class Written:
    """How many events of each partition changed a document, and how many the fence held back."""

    applied: Counter[Partition] = field(default_factory=Counter)
    fenced: Counter[Partition] = field(default_factory=Counter)

    def count(self, folded: Folded) -> None:
        """Add what one document took."""
        for place, count in folded.applied.items():
            self.applied[place] += count
        for place, count in folded.fenced.items():
            self.fenced[place] += count


class Writer:
    """Writes one read model into one collection."""

    def __init__(self, store: Store, model: ReadModel, collection: str) -> None:
        self._store = store
        self._model = model
        self._collection = collection
        self._known = 0.0  # share of the last batch's documents that existed before it

    def write(self, records: Iterable[Record]) -> Written:
        """Fold records in; all of it is durable when this returns. Raises StoreAway, as `write_grouped`."""
        return self.write_grouped(by_document(self._model, records))

    def write_grouped(self, pending: dict[str, list[Record]]) -> Written:
        """Fold the records of each document in; all of it is durable when this returns.

        Raises:
            StoreAway: the server is away, or another writer kept changing the same documents; do it again.
            TooSlow: the server did not answer in time; do it again, with less at once.
        """
        written = Written()
        if not pending:
            return written
        total = len(pending)
        blind = self._known < 0.5
        existing = 0
        for _ in range(_TRIES):
            try:
                current = {} if blind else self._store.read(self._collection, list(pending))
                existing = max(existing, len(current))
                pending = self._attempt(pending, current, written)
            except TooSlow:
                self._known = 1.0  # perhaps it was written all the same: look before it is tried again
                raise
            if not pending:
                self._known = existing / total
                return written
            blind = False
        raise StoreAway(
            f"{self._collection}: another writer keeps changing {len(pending)} documents, such as {min(pending)}"
        )

    def _attempt(
        self, pending: dict[str, list[Record]], current: dict[str, Document], written: Written
    ) -> dict[str, list[Record]]:
        """Write each pending document once; return those that were not as expected."""
        folded = {key: fold(self._model, key, current.get(key), records) for key, records in pending.items()}
        inserts: list[Document] = []
        replaces: list[tuple[int, Document]] = []
        for key, result in folded.items():
            old = current.get(key)
            if result.document is not None and result.document is not old:
                if old is None:
                    inserts.append(result.document)
                else:
                    replaces.append((old[FOLDED], result.document))
        again = self._store.insert(self._collection, inserts) | self._store.replace(self._collection, replaces)
        for key, result in folded.items():
            if key not in again:
                written.count(result)
        return {key: pending[key] for key in pending if key in again}
