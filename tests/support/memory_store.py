"""A document store in memory with every rule that the live writer and the takeover rely on; it can die in mid-write."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from contracts.documents import CHECKPOINTS_COLLECTION
from projections.answers import Superseded
from projections.folds import Document
from projections.mongo import GENERATIONS
from streaming.errors import StoreAway


class WholeStore:
    """Keeps collections as `projections.mongo.Store` does.

    Args of note: `writes_left` is how many single writes are made until the store goes away for its caller;
    None: no limit.  A bulk write is made in part then, as a real one may be.
    """

    def __init__(self) -> None:
        self.data: dict[str, dict[str, Document]] = {}
        self.writes_left: int | None = None

    # Documents

    def insert(self, collection: str, documents: Sequence[Document]) -> set[str]:
        present = set()
        for new in documents:
            held = self.data.setdefault(collection, {})
            if new["_id"] in held:
                present.add(new["_id"])
            else:
                self._write(collection, new)
        return present

    def read(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        held = self.data.get(collection, {})
        return {key: deepcopy(held[key]) for key in ids if key in held}

    def replace(self, collection: str, changes: Sequence[tuple[int, Document]]) -> set[str]:
        missed = set()
        for number, new in changes:
            held = self.data.get(collection, {}).get(new["_id"])
            if held is not None and held["_n"] == number:
                self._write(collection, new)
            elif held != new:
                missed.add(new["_id"])
        return missed

    def scan(self, collection: str, where: Mapping[str, Any] | None = None, order: str = "") -> Iterator[Document]:
        found = [row for row in self.data.get(collection, {}).values() if _fits(row, where or {})]
        yield from deepcopy(sorted(found, key=lambda row: row[order]) if order else found)

    # Collections

    def index(self, collection: str, indexes: Sequence[Sequence[str]]) -> None:
        return

    def create(self, collection: str) -> None:
        assert collection not in self.data
        self.data[collection] = {}

    def drop(self, collection: str) -> None:
        self.data.pop(collection, None)

    def collections(self, prefix: str) -> list[str]:
        return [name for name in self.data if name.startswith(prefix)]

    def rename(self, source: str, target: str) -> None:
        if source not in self.data:
            raise Superseded(f"{source} was dropped before it could take over")
        self.data[target] = self.data.pop(source)

    # Checkpoints

    def checkpoints(self, model: str) -> list[Document]:
        return list(self.scan(CHECKPOINTS_COLLECTION, {"read_model": model}))

    def advance(self, moves: Sequence[tuple[int, Document]]) -> None:
        matched = 0
        for old, new in moves:
            row = self.data[CHECKPOINTS_COLLECTION][new["_id"]]
            if row["generation"] == new["generation"] and row["next_offset"] in (old, new["next_offset"]):
                self._write(CHECKPOINTS_COLLECTION, {**row, **new})
                matched += 1
        if matched != len(moves):
            raise Superseded("a checkpoint was moved by another writer or by a rebuild")

    def stamp_checkpoints(self, model: str, generation: int) -> None:
        for row in self.data.get(CHECKPOINTS_COLLECTION, {}).values():
            row["generation"] = generation

    def rewind_checkpoints(self, model: str, generation: int) -> None:
        for row in self.data.get(CHECKPOINTS_COLLECTION, {}).values():
            row |= {"generation": generation, "next_offset": 0}

    # Generations

    def generation(self, model: str) -> Document:
        return deepcopy(self.data.get(GENERATIONS, {}).get(model) or {"_id": model, "generation": 1})

    def ensure_generation(self, model: str) -> None:
        rows = self.data.setdefault(GENERATIONS, {})
        rows.setdefault(model, {"_id": model, "generation": 1, "builds": 1, "writers": {}})

    def change_generation(self, model: str, where: Mapping[str, Any], change: Mapping[str, Any]) -> Document | None:
        row = self.data.get(GENERATIONS, {}).get(model)
        if row is None or not _fits(row, where):
            return None
        for kind, fields in change.items():
            for path, value in fields.items():
                _change(row, path, kind, value)
        return deepcopy(row)

    def _write(self, collection: str, document: Document) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise StoreAway("the store died in the middle of a write")
            self.writes_left -= 1
        self.data.setdefault(collection, {})[document["_id"]] = deepcopy(document)


def _fits(row: Document, where: Mapping[str, Any]) -> bool:
    return all(_value(row, path) == value for path, value in where.items())


def _value(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _change(row: Document, path: str, kind: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        row = row.setdefault(name, {})
    if kind == "$set":
        row[last] = deepcopy(value)
    elif kind == "$unset":
        row.pop(last, None)
    elif kind == "$inc":
        row[last] = row.get(last, 0) + value
    elif kind == "$max":
        row[last] = max(row.get(last, value), value)
    else:
        raise AssertionError(f"{kind} is not an operator that the store uses")
