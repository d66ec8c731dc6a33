"""A log in memory, and a document store in memory: what the tests of the projections are told in."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contracts.events import BarClosed, Event, ForecastIssued, ForecastScored
from contracts.parts import SettlingBar
from contracts.samples import sample
from contracts.topics import topic_of
from projections.folds import Document, ReadModel, by_document, fold
from streaming.records import Record

DAY = timedelta(days=1)
CLOSED = datetime(2012, 1, 3, 21, tzinfo=UTC)


def bar(symbol: str = "AAPL", day: int = 0, revision: int = 0, close: float = 411.0, **fields) -> BarClosed:
    closed_at = CLOSED + day * DAY
    return replace(
        sample(BarClosed),
        symbol=symbol,
        opened_at=closed_at - timedelta(hours=6),
        closed_at=closed_at,
        close=close,
        revision=revision,
        recorded_at=closed_at + revision * timedelta(hours=1),
        **fields,
    )


def issued(forecast_id: str = "f1", symbol: str = "AAPL", day: int = 0, role: str = "CHAMPION") -> ForecastIssued:
    event = sample(ForecastIssued)
    origin = CLOSED + day * DAY
    return replace(
        event,
        forecast_id=forecast_id,
        symbol=symbol,
        origin=origin,
        issued_at=origin,
        model=replace(event.model, role=role),
        steps=tuple(replace(step, target_at=origin + step.step * DAY) for step in event.steps),
    )


def scored(
    forecast_id: str = "f1", step: int = 1, revision: int = 0, error: float = 2.0, day: int = 1, **fields
) -> ForecastScored:
    event = sample(ForecastScored)
    target_at = CLOSED + day * DAY
    settling = SettlingBar(closed_at=target_at, revision=revision, topic="stock-data", partition=0, offset=day)
    return replace(
        event, forecast_id=forecast_id, step=step, bar=settling, target_at=target_at, absolute_error=error, **fields
    )


def record(event: Event, offset: int = 0, partition: int = 0) -> Record:
    return Record(
        event=event,
        topic=topic_of(type(event)).name,
        partition=partition,
        offset=offset,
        timestamp=CLOSED,
        key=event.key,
        headers={},
        schema_id=1,
    )


def log_of(events: Iterable[Event], partitions: int = 2) -> list[Record]:
    """Give events their places: a key stays in one partition, offsets count up in each."""
    ends: dict[tuple[str, int], int] = {}
    records = []
    for event in events:
        partition = sum(event.key.encode()) % partitions
        topic = topic_of(type(event)).name
        records.append(record(event, ends.get((topic, partition), 0), partition))
        ends[topic, partition] = records[-1].offset + 1
    return records


def folded(model: ReadModel, records: Iterable[Record]) -> dict[str, Document]:
    """Fold a log plainly: each event once, in order, nothing stored in between."""
    return {key: fold(model, key, None, group).document or {} for key, group in by_document(model, records).items()}


class MemoryStore:
    """Documents in memory, with the store's own rules for insert and replace."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.before_replace = lambda: None

    def insert(self, collection: str, documents: Sequence[Document]) -> set[str]:
        present = {document["_id"] for document in documents if document["_id"] in self.documents}
        self.documents |= {new["_id"]: deepcopy(new) for new in documents if new["_id"] not in present}
        return present

    def read(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        return {key: deepcopy(self.documents[key]) for key in ids if key in self.documents}

    def replace(self, collection: str, changes: Sequence[tuple[int, Document]]) -> set[str]:
        self.before_replace()
        missed = set()
        for number, new in changes:
            if self.documents[new["_id"]]["_n"] == number:
                self.documents[new["_id"]] = deepcopy(new)
            else:
                missed.add(new["_id"])
        return missed
