"""Run projections in a thread, publish to them, and wait for what they make of it."""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import structlog
from confluent_kafka import Producer
from pymongo import MongoClient
from pymongo.database import Database
from typer.testing import CliRunner

from contracts.events import BarClosed, Event
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from projections.checkpoints import vector
from projections.folds import ReadModel, by_document, fold
from projections.mongo import Store
from projections.read_models.table import READ_MODELS
from projections.service import Projections
from projections.settings import ProjectionSettings
from stack.cli.main import app
from streaming.publisher import Publisher
from streaming.reader import read_all, watermarks
from tests.support.topics import clear_topics
from tests.support.waiting import PATIENCE, until

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


def command(*arguments: str, code: int = 0) -> str:
    """Run `foretick` in this process; return what it printed."""
    with mock.patch.dict(os.environ):  # a command tells its own process where the stack is
        result = CliRunner(env={"COLUMNS": "240"}).invoke(app, arguments)
    structlog.reset_defaults()  # and makes its logs quiet
    assert result.exit_code == code, result.output
    return result.output


def bars(count: int, first: int = 0, revision: int = 0) -> list[BarClosed]:
    """Return bars of five symbols, one session after the other."""
    base = sample(BarClosed)
    made = []
    for number in range(first, first + count):
        closed_at = base.closed_at + timedelta(days=number // len(SYMBOLS))
        made.append(
            replace(
                base,
                symbol=SYMBOLS[number % len(SYMBOLS)],
                opened_at=closed_at - timedelta(hours=6),
                closed_at=closed_at,
                close=409.25 + (number + revision) % 13 / 4,
                revision=revision,
                recorded_at=closed_at + timedelta(minutes=revision),
            )
        )
    return made


def publish(settings: ProjectionSettings, events: Iterable[Event]) -> None:
    with Publisher(settings, "/tests") as publisher:
        for event in events:
            publisher.publish(event, time=sample(BarClosed).closed_at)


def publish_raw(settings: ProjectionSettings, value: bytes, partition: int = 0) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka})
    producer.produce(settings.physical(STOCK_DATA.name), value, b"poison", partition=partition)
    assert producer.flush(10) == 0


@contextmanager
def database(settings: ProjectionSettings) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient(settings.mongodb.get_secret_value(), tz_aware=True) as client:
        yield client[settings.mongodb_database]


def clear(settings: ProjectionSettings) -> None:
    """Remove a test's topics and database: the servers may be shared."""
    with database(settings) as found:
        found.client.drop_database(found.name)
    clear_topics(settings)


def documents(settings: ProjectionSettings, collection: str) -> dict[str, Any]:
    with database(settings) as found:
        return {document["_id"]: document for document in found[collection].find()}


def expected(settings: ProjectionSettings, model: ReadModel) -> dict[str, Any]:
    """Fold the log plainly."""
    records = [record for topic in model.topics for record in read_all(settings, topic)]
    return {key: fold(model, key, None, group).document for key, group in by_document(model, records).items()}


class Running:
    """Projections in a thread of this process; `code` is how they ended."""

    def __init__(self, settings: ProjectionSettings, *models: ReadModel) -> None:
        self.settings = settings
        self.models = models or READ_MODELS
        self.service = Projections(settings, self.models)
        self.stop = threading.Event()
        self.code: int | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._store = Store(settings)

    def _run(self) -> None:
        self.code = self.service.run(self.stop)

    def __enter__(self) -> "Running":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(PATIENCE * 30)
        assert not self.thread.is_alive()
        self._store.close()

    def position(self, model: ReadModel) -> dict[str, dict[int, int]]:
        """Return where a read model stands."""
        return vector(self._store.checkpoints(model.name))

    def caught_up(self) -> bool:
        """Tell whether every read model has read its topics to their ends."""
        for model in self.models:
            position = self.position(model)
            for topic in model.topics:
                ends = {place: high for place, (_, high) in watermarks(self.settings, topic).items()}
                if position.get(topic.name) != ends:
                    return False
        return True

    def catch_up(self, seconds: float = 60.0) -> None:
        until(lambda: not self.thread.is_alive() or self.caught_up(), "the projections caught up", seconds)
        assert self.thread.is_alive(), self.service.status()["failed"]


def assert_reconciled(settings: ProjectionSettings, model: ReadModel) -> list[dict[str, Any]]:
    """Every message before the position was applied, fenced or dead."""
    store = Store(settings)
    rows = store.checkpoints(model.name)
    store.close()
    for row in rows:
        assert row["read"] == row["applied"] + row["fenced"] + row["dead"]
        assert row["read"] >= row["next_offset"]
    return rows


def project(settings: ProjectionSettings, events: Iterable[Event], *models: ReadModel) -> None:
    """Let the projections take events in, and stop them."""
    publish(settings, events)
    with Running(settings, *models) as running:
        running.catch_up()
