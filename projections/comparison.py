"""Compare two collections: an order-independent hash of each, and where they differ, while one is still written to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from projections import hashes
from projections.folds import Document, within
from projections.mongo import Store

_BATCH = 1000
_SHOWN = 20  # documents whose differences are told; the rest is counted

PartitionOffset = Mapping[str, Mapping[int, int]]  # {topic: {partition: next offset}}


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
        return self.differing == 0

    @property
    def fingerprints(self) -> list[str]:
        """Return what `fingerprint` says of either."""
        return [f"{self.live_hash}/{self.live_documents}", f"{self.rebuilt_hash}/{self.rebuilt_documents}"]


@dataclass(slots=True)
class _Whole:
    """The hash of a collection, and how many documents it has."""

    total: int = 0
    documents: int = 0

    def add(self, digest: int | None) -> None:
        """Take a document in; None: there is none."""
        if digest is not None:
            self.total = hashes.add(self.total, digest)
            self.documents += 1

    def take_out(self, digest: int | None) -> None:
        """Take a document out again."""
        if digest is not None:
            self.total = hashes.subtract(self.total, digest)
            self.documents -= 1


@dataclass(frozen=True, slots=True)
class _Difference:
    live: int | None
    rebuilt: int | None
    lines: list[str]


class Comparing:
    """Compares a live collection, which goes on being written, with one that is filled up to a position.

    A live document that holds nothing from that position on is what the log made it by then: it must equal the rebuilt
    one, and stays compared until an event changes it.  One that holds more is `open`: it is compared later, when the
    rebuilt one has been filled further, and the last few while nobody writes.  So what is left for that moment does
    not depend on how many documents there are.

    Attributes:
        open: the documents that are to be compared again.
    """

    def __init__(self, store: Store, live: str, rebuilt: str) -> None:
        self.open: set[str] = set()
        self._store = store
        self._live, self._rebuilt = live, rebuilt
        self._whole = _Whole()  # the rebuilt collection as it was when all of it was compared
        self._now: dict[str, int | None] = {}  # digests of rebuilt documents that were compared again since
        self._differences: dict[str, _Difference] = {}

    def all(self, position: PartitionOffset | None) -> None:
        """Compare all documents.

        Args:
            position: up to which the rebuilt collection is filled; None: nobody writes to the live one.
        """
        for document in self._store.scan(self._rebuilt):
            self._whole.add(hashes.document_digest(document))
        matched = 0
        for batch in self._batches(self._live):
            others = self._store.read(self._rebuilt, list(batch))
            matched += len(others)
            for key, document in batch.items():
                self._judge(key, document, others.get(key), position)
        if matched < self._whole.documents:
            for batch in self._batches(self._rebuilt):
                present = self._store.read(self._live, list(batch))
                for key in batch.keys() - present.keys():
                    self._judge(key, None, batch[key], position)

    def again(self, keys: Iterable[str], position: PartitionOffset | None) -> None:
        """Compare the documents that were filled since, and those that are open; arguments as of `all`."""
        wanted = sorted(self.open | set(keys))
        live, rebuilt = self._store.read(self._live, wanted), self._store.read(self._rebuilt, wanted)
        for key in wanted:
            self._now[key] = hashes.document_digest(rebuilt[key]) if key in rebuilt else None
            self._judge(key, live.get(key), rebuilt.get(key), position)

    def result(self, before: Mapping[str, int | None]) -> Comparison:
        """Return what was found.

        Args:
            before: of the documents that were filled since all were compared, the digest that each had then.
        """
        rebuilt = _Whole(self._whole.total, self._whole.documents)
        for key, digest in before.items():
            rebuilt.take_out(digest)
            rebuilt.add(self._now[key])
        live = _Whole(rebuilt.total, rebuilt.documents)
        for found in self._differences.values():
            live.take_out(found.rebuilt)
            live.add(found.live)
        shown = dict(list(self._differences.items())[:_SHOWN])
        return Comparison(
            hashes.value_text(live.total),
            hashes.value_text(rebuilt.total),
            live.documents,
            rebuilt.documents,
            {key: found.lines for key, found in shown.items()},
            len(self._differences),
        )

    def _judge(
        self, key: str, live: Document | None, rebuilt: Document | None, position: PartitionOffset | None
    ) -> None:
        self._differences.pop(key, None)
        if live is not None and position is not None and not within(live, position):
            self.open.add(key)
            return
        self.open.discard(key)
        one, other = (
            hashes.document_digest(document) if document is not None else None for document in (live, rebuilt)
        )
        if one != other:
            few = len(self._differences) < _SHOWN
            self._differences[key] = _Difference(one, other, _told(live, rebuilt) if few else [])

    def _batches(self, collection: str) -> Iterator[dict[str, Document]]:
        batch: dict[str, Document] = {}
        for document in self._store.scan(collection):
            batch[str(document["_id"])] = document
            if len(batch) == _BATCH:
                yield batch
                batch = {}
        if batch:
            yield batch


def compare(store: Store, live: str, rebuilt: str) -> Comparison:
    """Compare two collections that nobody writes to meanwhile."""
    comparing = Comparing(store, live, rebuilt)
    comparing.all(None)
    return comparing.result({})


def documents_fingerprint(store: Store, collection: str) -> str:
    """Return a collection's hash and count: two collections with the same one hold the same documents."""
    whole = _Whole()
    for document in store.scan(collection):
        whole.add(hashes.document_digest(document))
    return f"{hashes.value_text(whole.total)}/{whole.documents}"


def _told(live: Document | None, rebuilt: Document | None) -> list[str]:
    if rebuilt is None:
        return ["is in the live read model only: no event of the log makes it"]
    if live is None:
        return ["is missing in the live read model"]
    return hashes.differences(live, rebuilt)
