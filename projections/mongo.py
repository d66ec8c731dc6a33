"""The document store: everything here that speaks MongoDB's protocol, in the subset that all its servers have.

Every write waits for the journal (`w: 1, j: true`).  A server that is away raises `StoreAway`, and the caller may do
the same again: no operation here does harm when it is repeated after an answer was lost.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pymongo import MongoClient, ReadPreference, ReplaceOne, UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import (
    BulkWriteError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern

from contracts.documents import CHECKPOINTS_COLLECTION, FOLDED
from projections.answers import Superseded, reachable, refusal_of
from projections.embedded_server import READ_CHUNK, REPLACE_CHUNK
from projections.folds import Document
from projections.settings import ProjectionSettings
from streaming.errors import StoreAway

GENERATIONS = "generations"

_T = TypeVar("_T")

_DUPLICATE = 11000
_WRITE_CHUNK = 1000
_SECONDS_TO_ANSWER = 30
_CLOCK_SECONDS = 10.0  # between two looks at the server's clock
_NAMESPACE_NOT_FOUND = 26


class Store:
    """A database of read models, with their checkpoints and generations."""

    def __init__(self, settings: ProjectionSettings) -> None:
        uri = settings.mongodb.get_secret_value()
        common: dict[str, Any] = {
            "tz_aware": True,
            "tzinfo": UTC,
            "retryWrites": False,
            "serverSelectionTimeoutMS": 3000,
            "connectTimeoutMS": 3000,
            "appname": "foretick-projections",
        }
        self._client: MongoClient[Document] = MongoClient(uri, socketTimeoutMS=_SECONDS_TO_ANSWER * 1000, **common)
        # Renaming and indexing may take as long as they take.
        self._patient: MongoClient[Document] = MongoClient(uri, **common)
        self._database = settings.mongodb_database
        self._clock = (datetime.min.replace(tzinfo=UTC), -_CLOCK_SECONDS)  # the server's time, and when it was told

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._patient.close()

    def now(self) -> datetime:
        """Return the time by the server's clock: writers and rebuilds on other machines go by the same one."""
        told, asked = self._clock
        if time.monotonic() - asked >= _CLOCK_SECONDS:
            with reachable():
                answer: datetime = self._client.admin.command("hello")["localTime"]
            # Answers to commands are not decoded as documents are.
            told, asked = self._clock = (answer.replace(tzinfo=UTC), time.monotonic())
        return told + timedelta(seconds=time.monotonic() - asked)

    # Documents

    def insert(self, collection: str, documents: Sequence[Document]) -> set[str]:
        """Insert documents that are new; return the ids of those that exist already, untouched.

        Raises:
            DocumentRefused: the server does not take one of them; it has taken the others.
        """
        present: set[str] = set()
        for chunk in _chunks(documents, _WRITE_CHUNK):
            try:
                with reachable():
                    self._of(collection).insert_many(chunk, ordered=False)
            except BulkWriteError as error:
                if refused := [found for found in error.details["writeErrors"] if found["code"] != _DUPLICATE]:
                    raise refusal_of(collection, chunk, refused) from error
                present |= {str(chunk[found["index"]]["_id"]) for found in error.details["writeErrors"]}
        return present

    def read(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents of these ids that exist."""
        found: dict[str, Document] = {}
        for chunk in _chunks(ids, READ_CHUNK):
            with reachable():
                found |= {
                    str(document["_id"]): document for document in self._of(collection).find({"_id": {"$in": chunk}})
                }
        return found

    def replace(self, collection: str, changes: Sequence[tuple[int, Document]]) -> set[str]:
        """Replace each document if its `_n` is still the one given; return the ids that another writer changed.

        Raises:
            DocumentRefused: the server does not take one of them; it has taken the others.
        """
        missed: set[str] = set()
        for chunk in _chunks(changes, REPLACE_CHUNK):
            requests = [ReplaceOne({"_id": new["_id"], FOLDED: number}, new) for number, new in chunk]
            try:
                with reachable():
                    done = self._of(collection).bulk_write(requests, ordered=False)
            except BulkWriteError as error:
                raise refusal_of(collection, [new for _, new in chunk], error.details["writeErrors"]) from error
            if done.matched_count == len(chunk):
                continue
            stored = self.read(collection, [new["_id"] for _, new in chunk])
            missed |= {new["_id"] for _, new in chunk if stored.get(new["_id"]) != new}
        return missed

    def scan(self, collection: str, where: Mapping[str, Any] | None = None, order: str = "") -> Iterator[Document]:
        """Yield the documents of a collection, by rising `order`, a field; in no order without one."""
        with reachable():
            found = self._of(collection).find(where or {}).batch_size(_WRITE_CHUNK)
            yield from found.sort(order, 1) if order else found

    def distinct(self, collection: str, field: str) -> list[Any]:
        """Return the values that a field has."""
        with reachable():
            return self._of(collection).distinct(field)

    # Collections

    def index(self, collection: str, indexes: Sequence[Sequence[str]]) -> None:
        """Make a collection's indexes; doing it again changes nothing."""
        with reachable():
            for names in indexes:
                self._of(collection, patient=True).create_index([(name, 1) for name in names])

    def create(self, collection: str) -> None:
        """Make an empty collection."""
        with reachable():
            self._client[self._database].create_collection(collection)

    def drop(self, collection: str) -> None:
        """Drop a collection, if it exists."""
        with reachable():
            self._of(collection, patient=True).drop()

    def collections(self, prefix: str) -> list[str]:
        """Return the names of the collections that begin with `prefix`."""
        with reachable():
            return [name for name in self._client[self._database].list_collection_names() if name.startswith(prefix)]

    def rename(self, source: str, target: str) -> None:
        """Put a collection in another one's place, in one step.

        Raises:
            Superseded: there is no such collection any more.
        """
        try:
            with reachable():
                self._of(source, patient=True).rename(target, dropTarget=True)
        except OperationFailure as error:
            if error.code == _NAMESPACE_NOT_FOUND:
                raise Superseded(f"collection {source} was dropped before it could take over {target}") from error
            raise

    # Checkpoints

    def checkpoints(self, model: str) -> list[Document]:
        """Return a read model's checkpoints, one for each topic and partition."""
        return list(self.scan(CHECKPOINTS_COLLECTION, {"read_model": model}))

    def advance(self, moves: Sequence[tuple[int, Document]]) -> None:
        """Move checkpoints on, each from the offset given to that of its new form.

        Raises:
            Superseded: a checkpoint is of another generation or stands elsewhere.
        """
        requests = [
            # The new offset is accepted too: an answer may have been lost, and this be the second time.
            UpdateOne(
                {"_id": new["_id"], "generation": new["generation"], "next_offset": {"$in": [old, new["next_offset"]]}},
                {"$set": {name: value for name, value in new.items() if name != "_id"}},
            )
            for old, new in moves
        ]
        with reachable():
            done = self._of(CHECKPOINTS_COLLECTION).bulk_write(requests, ordered=False)
        if done.matched_count != len(moves):
            expected = ", ".join(f"{new['_id']} at {old}, generation {new['generation']}" for old, new in moves)
            raise Superseded(f"a checkpoint was moved by another writer or by a rebuild; expected: {expected}")

    def set_checkpoints(self, rows: Sequence[Document]) -> None:
        """Write checkpoints whatever was there: for a rebuild that holds the lease."""
        with reachable():
            self._of(CHECKPOINTS_COLLECTION).bulk_write(
                [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
            )

    def rewind_checkpoints(self, model: str, generation: int) -> None:
        """Let a read model be read again from the beginning, by writers of a new generation."""
        change = {"$set": {"next_offset": 0, "generation": generation}}
        with reachable():
            self._of(CHECKPOINTS_COLLECTION).update_many({"read_model": model}, change)

    def stamp_checkpoints(self, model: str, generation: int) -> None:
        """Give a read model's checkpoints a new generation: writers of an earlier one cannot move them any more."""
        with reachable():
            self._of(CHECKPOINTS_COLLECTION).update_many({"read_model": model}, {"$set": {"generation": generation}})

    # Generations: who writes a read model, and who rebuilds it; `takeover.py` has the protocol

    def generation(self, model: str) -> Document:
        """Return a read model's row; a new one is of generation 1."""
        with reachable():
            return self._of(GENERATIONS).find_one({"_id": model}) or {"_id": model, "generation": 1}

    def generations(self) -> dict[str, Document]:
        """Return all rows by read model."""
        return {str(row["_id"]): row for row in self.scan(GENERATIONS)}

    def change_generation(self, model: str, where: Mapping[str, Any], change: Mapping[str, Any]) -> Document | None:
        """Change a read model's row if it is as `where` says; return it as it is then, None if it is not so."""
        with reachable():
            return self._of(GENERATIONS).find_one_and_update({"_id": model, **where}, change, return_document=True)

    def ensure_generation(self, model: str) -> None:
        """Make a read model's row, if there is none."""
        try:
            with reachable():
                self._of(GENERATIONS).insert_one({"_id": model, "generation": 1, "builds": 1, "writers": {}})
        except DuplicateKeyError:
            return

    def _of(self, collection: str, *, patient: bool = False) -> Collection[Document]:
        client = self._patient if patient else self._client
        return client[self._database].get_collection(
            collection,
            write_concern=WriteConcern(w=1, j=True),
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("local"),
        )


def why_away(settings: ProjectionSettings) -> str:
    """Return why the document server cannot be used now; nothing where it answers."""
    try:
        store = Store(settings)
        try:
            store.now()
        finally:
            store.close()
    except StoreAway as error:
        return str(error)
    except PyMongoError as error:  # of the address itself
        return f"the address cannot be used: {error}"
    return ""


def _chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def now() -> datetime:
    """Return the time by this machine's clock, as the store keeps it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
