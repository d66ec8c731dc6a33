"""One way from `stock-data` to MongoDB, as a process of its own: `contender.py KIND COUNT MONGODB_PID [START]`.

It reads COUNT messages, from START (`{"partition": offset}` as JSON) or from where it stands, and prints what that took
from the moment it has its partitions to the moment when the last batch is written.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from fastavro import parse_schema, schemaless_reader
from pymongo import MongoClient, ReplaceOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError
from watch import Watch

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from contracts.versions import newest
from projections.folds import ReadModel
from projections.lease import Lease
from projections.mongo import Store
from projections.read_models.bars import BARS
from projections.read_models.table import READ_MODELS
from projections.refill import Refill
from projections.service import Projections
from projections.settings import ProjectionSettings
from projections.sink import ReadModelSink
from streaming.gc_tuning import collect_rarely
from streaming.loop import Loop
from streaming.ranges import reading, watermarks
from streaming.records import Batch, Partition

Document = dict[str, Any]


class TimedSink(ReadModelSink):
    """The live sink, with a watch on it."""

    def __init__(self, model: ReadModel, settings: ProjectionSettings, count: int, watch: Watch) -> None:
        super().__init__(settings, Store(settings), model, "bench")
        self.done = threading.Event()
        self._watcher = watch
        self._left = count

    def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Begin."""
        found = super().positions(partitions)
        self._watcher.start()
        return found

    def apply(self, batch: Batch) -> None:
        """Take a batch in, and end after the last one."""
        super().apply(batch)
        self._left -= len(batch.records)
        if self._left <= 0 and not self.done.is_set():
            self._watcher.stop()
            self.done.set()


def foretick(settings: ProjectionSettings, count: int, watch: Watch, model: ReadModel) -> None:
    """Run the consumer loop and the sink of a read model as the service does."""
    sink = TimedSink(model, settings, count, watch)
    Loop(settings, f"bench.{model.name}", model.topics, sink).run(sink.done)
    sink.close()


def everything(settings: ProjectionSettings, count: int, watch: Watch) -> None:
    """Run the service with all its read models until each that reads bars has read so many."""
    ours = [model for model in READ_MODELS if STOCK_DATA.name in model.folds]
    service, stop, store = Projections(settings), threading.Event(), Store(settings)
    thread = threading.Thread(target=service.run, args=(stop,))
    watch.start()
    thread.start()
    while thread.is_alive():
        read = [sum(row["read"] for row in store.checkpoints(model.name)) for model in ours]
        if min(read) >= count:
            break
        time.sleep(0.2)
    watch.stop()
    stop.set()
    thread.join()
    store.close()


def rebuild(settings: ProjectionSettings, watch: Watch) -> None:
    """Fill an empty generation of `stock_data` with the whole log, as a rebuild does."""
    store = Store(settings)
    store.ensure_generation(BARS.name)
    ends = {place: high for place, (_, high) in watermarks(settings, STOCK_DATA).items()}
    with Lease(store, BARS.name) as lease:
        store.create(lease.collection)
        filling = Refill(settings, store, BARS, lease, False, lambda done, total: None)
        watch.start()
        filling.fill({STOCK_DATA.name: ends})
        watch.stop()
        store.drop(lease.collection)
    store.close()


def serve(settings: ProjectionSettings) -> None:
    """Run the service with `stock_data` alone until the input ends."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    Projections(settings, (BARS,)).run(stop)


def bare(
    settings: ProjectionSettings,
    count: int,
    watch: Watch,
    start: Mapping[int, int],
    write: Callable[[Collection[Document], list[Document]], object],
) -> None:
    """Consume, decode with fastavro, write: no fence, no checkpoint, no dead letters, nothing held against failure."""
    schema = parse_schema(newest(BarClosed).schema)
    consumer: Consumer = reading(settings, partition_eof=False)
    with MongoClient(settings.mongodb.get_secret_value()) as client:
        collection: Collection[Document] = client[settings.mongodb_database][BARS.name]
        places = range(STOCK_DATA.partitions)
        name = settings.physical(STOCK_DATA.name)
        consumer.assign([TopicPartition(name, place, start.get(place, 0)) for place in places])
        watch.start()
        left = count
        while left > 0:
            documents = []
            for message in consumer.consume(1000, 0.05):
                body = BytesIO(message.value())
                body.seek(5)
                document: Document = schemaless_reader(body, schema, None)
                document["_id"] = f"{document['symbol']}|{document['interval']}|{document['closed_at'].isoformat()}"
                documents.append(document)
            if documents:
                write(collection, documents)
            left -= len(documents)
        watch.stop()
    consumer.close()


def insert(collection: Collection[Document], documents: list[Document]) -> None:
    """Insert; what exists is refused, and a correction is lost."""
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if {each["code"] for each in error.details["writeErrors"]} != {11000}:
            raise


def upsert(collection: Collection[Document], documents: list[Document]) -> None:
    """Replace or insert each, in any order: the last writer wins."""
    collection.bulk_write([ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents], ordered=False)


def upsert_journalled(collection: Collection[Document], documents: list[Document]) -> None:
    """Upsert, and wait until the journal is on the disk, as Foretick does."""
    upsert(collection.with_options(write_concern=WriteConcern(w=1, j=True)), documents)


WRITES = {"insert": insert, "upsert": upsert, "upsert-journalled": upsert_journalled}


def main() -> None:
    """Run one contender."""
    kind, count, watch = sys.argv[1], int(sys.argv[2]), Watch(int(sys.argv[3]))
    start = {int(place): offset for place, offset in json.loads(sys.argv[4]).items()} if sys.argv[4:] else {}
    settings = ProjectionSettings()
    if kind not in WRITES:
        collect_rarely()  # as the service and `foretick rebuild` do
    if kind == "foretick":
        foretick(settings, count, watch, BARS)
    elif kind == "foretick-all":
        everything(settings, count, watch)
    elif kind == "rebuild":
        rebuild(settings, watch)
    elif kind == "serve":
        serve(settings)
    elif kind == "foretick-plain":
        foretick(settings, count, watch, replace(BARS, indexes=()))
    else:
        bare(settings, count, watch, start, WRITES[kind])


if __name__ == "__main__":
    main()
