"""Compare two collections: an order-independent hash of each, and where they differ."""

from collections.abc import Iterator
from dataclasses import dataclass

from projections import hashes
from projections.folds import Document
from projections.mongo import Store

_BATCH = 1000
_SHOWN = 20  # documents whose differences are told; the rest is counted


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two collections are, each as a whole, and in what they differ.

    Args:
        differences: by `_id`, for the first few documents: one line for each field that differs.
        differing: how many documents differ, are missing or are too many.
    """

    live_hash: str
    rebuilt_hash: str
    live_documents: int
    rebuilt_documents: int
    differences: dict[str, list[str]]
    differing: int

    @property
    def equal(self) -> bool:
        """Tell whether both hold the same documents."""
        return self.live_hash == self.rebuilt_hash and self.live_documents == self.rebuilt_documents

    @property
    def fingerprints(self) -> list[str]:
        """Return what `fingerprint` says of either."""
        return [f"{self.live_hash}/{self.live_documents}", f"{self.rebuilt_hash}/{self.rebuilt_documents}"]


def compare(store: Store, live: str, rebuilt: str) -> Comparison:
    """Compare two collections that nobody writes to meanwhile."""
    live_hash, live_documents = _hash(store, live)
    rebuilt_hash, rebuilt_documents = _hash(store, rebuilt)
    differences: dict[str, list[str]] = {}
    differing = 0
    if live_hash != rebuilt_hash or live_documents != rebuilt_documents:
        differing = _find(store, live, rebuilt, differences)
    return Comparison(
        hashes.text(live_hash), hashes.text(rebuilt_hash), live_documents, rebuilt_documents, differences, differing
    )


def fingerprint(store: Store, collection: str) -> str:
    """Return a collection's hash and count: two collections with the same one hold the same documents."""
    total, count = _hash(store, collection)
    return f"{hashes.text(total)}/{count}"


def _hash(store: Store, collection: str) -> tuple[int, int]:
    total = count = 0
    for document in store.scan(collection):
        total = hashes.add(total, hashes.digest(document))
        count += 1
    return total, count


def _find(store: Store, live: str, rebuilt: str, differences: dict[str, list[str]]) -> int:
    """Go through both collections document by document: only done once they are known to differ."""
    differing = 0

    def tell(key: str, lines: list[str]) -> None:
        nonlocal differing
        differing += 1
        if len(differences) < _SHOWN:
            differences[key] = lines

    for batch in _batches(store, live):
        others = store.read(rebuilt, list(batch))
        for key, document in batch.items():
            if key not in others:
                tell(key, ["is in the live read model only: no event of the log makes it"])
            elif lines := hashes.differences(document, others[key]):
                tell(key, lines)
    for batch in _batches(store, rebuilt):
        present = store.read(live, list(batch))
        for key in batch.keys() - present.keys():
            tell(key, ["is missing in the live read model"])
    return differing


def _batches(store: Store, collection: str) -> Iterator[dict[str, Document]]:
    batch: dict[str, Document] = {}
    for document in store.scan(collection):
        batch[str(document["_id"])] = document
        if len(batch) == _BATCH:
            yield batch
            batch = {}
    if batch:
        yield batch
