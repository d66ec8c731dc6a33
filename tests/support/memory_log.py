"""A log in memory, and serving and scoring on top of it: what the services do, without a server."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from contracts.events import Event
from contracts.topics import (
    CORPORATE_ACTIONS,
    DRIFT_ALARMS,
    FORECAST_SCORES,
    MODEL_PROMOTIONS,
    STOCK_DATA,
    STOCK_FORECASTS,
    topic_of,
)
from forecasting.models.naive import Naive
from forecasting.scoring.service import Scoring
from forecasting.scoring.state import scoring_state
from forecasting.serving.loaded_models import LoadedModels
from forecasting.serving.service import Serving
from forecasting.serving.state import serving_state
from forecasting.settings import ScoreSettings, ServeSettings
from streaming.errors import KafkaAway
from streaming.records import Batch, Partition, Record
from tests.support.markets import market

INPUTS = {
    Serving: (CORPORATE_ACTIONS, FORECAST_SCORES, STOCK_DATA),
    Scoring: (CORPORATE_ACTIONS, STOCK_FORECASTS, STOCK_DATA),
}


class MemoryLog:
    """Topics of one partition each; what is folded of them is saved in a folder of its own."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.topics: defaultdict[str, list[Record]] = defaultdict(list)
        self._folder = TemporaryDirectory(prefix="foretick-memory-log-")
        self.home = Path(self._folder.name)
        for event in events:
            self.append(event)

    def append(self, event: Event, cause: Record | None = None) -> Record:
        topic = topic_of(type(event)).name
        headers = {"ce_id": event.event_id} | ({"ce_causationid": cause.headers["ce_id"]} if cause else {})
        offset = len(self.topics[topic])
        moment = datetime(2012, 1, 1, tzinfo=UTC)
        record = Record(event, topic, 0, offset, moment, event.key, headers, schema_id=7)
        self.topics[topic].append(record)
        return record

    def events(self, topic) -> list:
        return [record.event for record in self.topics[topic.name]]

    def watch_reads(self, monkeypatch) -> list[tuple[str, int]]:
        """Return a list that takes up the topic and first offset of each reading to come, but for empty ones."""
        asked, read = [], self.read

        def reading(topic, start, end):
            if start.get(0, 0) < end.get(0, 0):
                asked.append((topic.name, start.get(0, 0)))
            return read(topic, start, end)

        monkeypatch.setattr(self, "read", reading)
        return asked

    def epoch(self, topic) -> str:
        return topic.name

    def marks(self, topic) -> dict[int, tuple[int, int]]:
        return {0: (0, len(self.topics[topic.name]))}

    def read(self, topic, start, end) -> Iterator[Record]:
        yield from self.topics[topic.name][start.get(0, 0) : end.get(0, 0)]


@dataclass
class MemoryTopic:
    """A topic read up to its present end."""

    log: MemoryLog
    name: str
    at: int = 0

    def news(self) -> Iterator[Record]:
        found = self.log.topics[self.name][self.at :]
        yield from found
        self.at += len(found)

    def positions(self) -> dict[Partition, int]:
        return {(self.name, 0): self.at}


@dataclass
class MemoryOutput:
    """A publisher whose broker can be away."""

    log: MemoryLog
    away: bool = False
    queue: list = field(default_factory=list)

    def publish(self, event, *, time, cause=None):
        self.queue.append((event, cause))

    def flush(self, timeout=None):
        if self.away:
            raise KafkaAway("not acknowledged")
        for event, cause in self.queue:
            self.log.append(event, cause)
        self.queue.clear()


@dataclass
class FixedClock:
    """A clock that stands where it is put."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class Watch:
    """Whoever knows the models at work."""

    loaded: LoadedModels = field(default_factory=LoadedModels)


_NAIVE = Naive().fit(market(symbols=2, bars=300))


@dataclass
class Model:
    """A loaded version: a random walk under any family's name."""

    version: str
    family: str = "naive"
    name: str = "stock-forecaster"
    run_id: str = "run"
    min_history: int = 2
    trained_until: datetime | None = None
    broken_for: str = ""
    calls: list = field(default_factory=list)

    def predict(self, frame, horizon, levels):
        self.calls.append(sorted(set(frame["unique_id"])))
        if self.broken_for in self.calls[-1]:
            raise ArithmeticError(f"cannot do {self.broken_for}")
        return _NAIVE.predict(frame, horizon, levels)

    def lacking(self, frame):
        counts = frame.groupby("unique_id").size()
        return {
            symbol: f"{self.family} needs {self.min_history} bars, there are {count}"
            for symbol, count in counts.items()
            if count < self.min_history
        }


def models_at_work(**models: Model) -> LoadedModels:
    return LoadedModels(models)


def serving(log: MemoryLog, watch: Watch, moment: datetime, **settings) -> Serving:
    """Return a serving process that has just started."""
    given = ServeSettings(home=log.home, **settings)
    return Serving(
        given,
        watch,
        MemoryOutput(log),
        FixedClock(moment),
        serving_state(given, log),
        ends=lambda: {(STOCK_DATA.name, 0): len(log.topics[STOCK_DATA.name])},
        stop=threading.Event(),
    )


def scoring(log: MemoryLog, moment: datetime) -> Scoring:
    """Return a scoring process that has just started."""
    given = ScoreSettings(home=log.home)
    return Scoring(
        given,
        MemoryOutput(log),
        FixedClock(moment),
        scoring_state(given, log),
        promotions=MemoryTopic(log, MODEL_PROMOTIONS.name),
        alarms=MemoryTopic(log, DRIFT_ALARMS.name),
    )


def feed(process: Serving | Scoring, log: MemoryLog, size: int = 1000) -> None:
    """Let a process read all that is new to it, in batches; a fresh one is placed first, as by the loop."""
    topics = INPUTS[type(process)]
    known = process.read if hasattr(process, "read") else process.positions([(topic.name, 0) for topic in topics])
    process.read = known
    for topic in topics:
        records = log.topics[topic.name][known.get((topic.name, 0), 0) :]
        for start in range(0, len(records), size):
            part = records[start : start + size]
            reached = {(topic.name, 0): part[-1].offset + 1}
            process.apply(Batch(records=part, next_offsets=reached))
            known.update(reached)
