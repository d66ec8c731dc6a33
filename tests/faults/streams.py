"""The stream of reference: bars of many symbols, skewed as markets are, one in a hundred corrected."""

import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from contracts.events import BarClosed
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from projections.checkpoints import vector
from projections.mongo import Store
from projections.settings import ProjectionSettings
from streaming.errors import KafkaAway, StoreAway
from streaming.publisher import Publisher, PublishFailed
from streaming.reader import watermarks
from tests.faults.truths import MODELS, missing
from tests.support.waiting import until

_SYMBOLS = 60


def stream(count: int, dice: random.Random, first: int = 0) -> list[BarClosed]:
    """Return bars, every one of them once; corrections come some time after what they correct."""
    base = sample(BarClosed)
    made: list[BarClosed] = []
    for number in range(first, first + count):
        if made and dice.random() < 0.01:
            old = dice.choice(made[-500:])
            if old.revision == 0:
                close = old.close + dice.choice((-0.25, 0.25))
                event = replace(old, close=close, revision=1, recorded_at=old.recorded_at + timedelta(hours=1))
                if not any(other.identity == event.identity for other in made[-500:]):
                    made.append(event)
                    continue
        closed_at = base.closed_at + timedelta(minutes=number)  # no two bars of a stream are the same
        made.append(
            replace(
                base,
                symbol=f"S{min(int(dice.paretovariate(0.8)), _SYMBOLS)}",
                interval="PT1M",
                opened_at=closed_at - timedelta(minutes=1),
                closed_at=closed_at,
                close=410.0 + dice.randrange(8) / 4,
                recorded_at=closed_at,
                trades=dice.randrange(10**6) if dice.random() < 0.5 else None,
            )
        )
    return made


class Publishing(threading.Thread):
    """Publishes events while a `with` block runs; all of them are acknowledged when it ends.

    Args:
        lead: how many events may be published that the slowest read model has not read yet.
    """

    def __init__(self, settings: ProjectionSettings, events: Sequence[BarClosed], lead: int) -> None:
        super().__init__(daemon=True)
        self.applied = 0
        self._settings = settings
        self._events = events
        self._lead = lead
        self._error: BaseException | None = None
        self._store = Store(settings)

    def run(self) -> None:
        try:
            with Publisher(self._settings, "/tests") as publisher:
                for number, event in enumerate(self._events):
                    if number % 100 == 0:
                        until(lambda number=number: number - self.progress() < self._lead, "the stream goes on", 120)
                    publisher.publish(event, time=event.recorded_at)
                while self._refused(publisher):
                    for event in missing(self._settings, self._events):
                        publisher.publish(event, time=event.recorded_at)
        except BaseException as error:
            self._error = error

    @staticmethod
    def _refused(publisher: Publisher) -> bool:
        """Tell whether the broker refused events for good; then, as the producers do, let the others arrive first."""
        refused = False
        while True:
            try:
                publisher.flush()
            except PublishFailed as error:
                print(f"published again: {error}")
                refused = True
            else:
                return refused

    def progress(self) -> int:
        """Return how many messages the slowest read model has read; the last known number while MongoDB is away."""
        try:
            rows = [self._store.checkpoints(model.name) for model in MODELS]
        except StoreAway:
            return self.applied
        self.applied = min(
            sum(row["next_offset"] for row in found if row["topic"] == STOCK_DATA.name) for found in rows
        )
        return self.applied

    def __enter__(self) -> "Publishing":
        self.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.join()
            self._store.close()
            assert self._error is None, self._error


def publish(settings: ProjectionSettings, events: Sequence[BarClosed]) -> None:
    """Publish events and wait for their acknowledgements."""
    with Publisher(settings, "/tests") as publisher:
        for event in events:
            publisher.publish(event, time=event.recorded_at)


def position(settings: ProjectionSettings, model: str = "stock_data") -> dict[int, int]:
    """Return where a read model stands in `stock-data`."""
    store = Store(settings)
    try:
        return vector(store.checkpoints(model)).get(STOCK_DATA.name, {})
    finally:
        store.close()


def caught_up(settings: ProjectionSettings) -> bool:
    """Tell whether all three read models have read all bars."""
    try:
        ends = {place: high for place, (_, high) in watermarks(settings, STOCK_DATA).items()}
        return all(position(settings, model.name) == ends for model in MODELS)
    except (StoreAway, KafkaAway):
        return False
