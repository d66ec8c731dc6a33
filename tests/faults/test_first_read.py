"""Serving meets a long history for the first time, and the log pauses in the middle of it."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pandas as pd
import pytest

from contracts.events import BarClosed, ForecastIssued
from contracts.topics import CORPORATE_ACTIONS, FORECAST_SCORES, STOCK_DATA, STOCK_FORECASTS
from forecasting.serving.service import Serving
from forecasting.serving.state import serving_state
from forecasting.settings import ServeSettings
from streaming.catching_up import KafkaLog, end_offsets
from streaming.errors import KafkaAway, RegistryAway, StoreAway
from streaming.loop import Loop
from streaming.publisher import Publisher
from streaming.reader import read_all
from streaming.records import Batch, Partition
from tests.support.markets import bar, sessions
from tests.support.memory_log import FixedClock, Model, Watch, models_at_work
from tests.support.waiting import PATIENCE, until

SYMBOLS = [f"S{number}" for number in range(60)]
DAYS = 200
PAUSE = 3.0  # seconds: twice what once passed for the end of history
TOPICS = (STOCK_DATA, CORPORATE_ACTIONS, FORECAST_SCORES)


class Reading:
    """A serving process's threads, that stop for a moment in the middle of the first read."""

    def __init__(self, settings: ServeSettings) -> None:
        self.in_the_middle, self.go_on = threading.Event(), threading.Event()
        self.read = 0
        self._stop = threading.Event()
        self._serving = Serving(
            settings,
            Watch(models_at_work(champion=Model("1"))),
            Publisher(settings, "/tests"),
            FixedClock(bar(day=DAYS).closed_at),
            serving_state(settings, KafkaLog(settings)),
            ends=partial(end_offsets, settings, STOCK_DATA),
            stop=self._stop,
        )
        self.has_partitions = threading.Event()
        self._loop = Loop(settings, "foretick.forecasting", TOPICS, self, buries=())
        self._threads = [threading.Thread(target=self._run), threading.Thread(target=self._tick)]

    def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        found = self._serving.positions(partitions)
        self.has_partitions.set()
        return found

    def apply(self, batch: Batch) -> None:
        self._serving.apply(batch)
        self.read += len(batch.records)
        if self.read > len(SYMBOLS) * DAYS / 10:
            self.in_the_middle.set()
            self.go_on.wait(PATIENCE * 60)

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self.go_on.set()
            self._stop.set()
            for thread in self._threads:
                thread.join(PATIENCE * 15)

    def _run(self) -> None:
        self._loop.run(self._stop)

    def _tick(self) -> None:
        while not self._stop.wait(0.05):
            try:
                self._serving.tick()
            except (StoreAway, KafkaAway, RegistryAway):
                continue


@pytest.fixture
def serving_settings(settings, monkeypatch, tmp_path) -> ServeSettings:
    """A reader that holds little in advance: a broker that stops is noticed at once."""
    monkeypatch.setenv(
        "FORETICK_KAFKA_OPTIONS", '{"queued.max.messages.kbytes": "64", "fetch.message.max.bytes": "32768"}'
    )
    return ServeSettings(home=tmp_path)


@pytest.fixture
def history(settings) -> None:
    closes = [pd.Timestamp(close, tz="UTC").to_pydatetime() for close in sessions(DAYS)]
    first = bar()
    length = first.closed_at - first.opened_at
    publisher = Publisher(settings, "/tests")
    for close in closes:
        for symbol in SYMBOLS:
            event: BarClosed = bar(symbol, 0, closed_at=close, opened_at=close - length, recorded_at=close)
            publisher.publish(event, time=close)
    publisher.flush(60)


def issued(settings) -> Counter:
    """Count the forecasts of each bar; a broker that stood still may not have the log at once."""

    def counted() -> list[Counter]:
        try:
            events = [record.event for record in read_all(settings, STOCK_FORECASTS)]
        except KafkaAway:
            return []
        return [Counter((event.symbol, event.origin) for event in events if isinstance(event, ForecastIssued))]

    return until(counted, "the log is read")[0]


def assert_one_forecast_of_each_newest_bar(settings) -> None:
    newest = bar(day=DAYS - 1).closed_at
    until(lambda: {symbol for symbol, _ in issued(settings)} == set(SYMBOLS), "every symbol has a forecast")
    assert issued(settings) == Counter((symbol, newest) for symbol in SYMBOLS)


def test_broker_that_stands_still_in_the_first_read_is_not_taken_for_the_end_of_history(
    serving_settings, history, broken
):
    reading = Reading(serving_settings)
    with reading.running():
        until(reading.in_the_middle.is_set, "the first read is in its middle")
        with broken.standing_still("kafka"):
            reading.go_on.set()
            threading.Event().wait(PAUSE)  # the fault itself
            assert reading.read < len(SYMBOLS) * DAYS
        assert_one_forecast_of_each_newest_bar(serving_settings)


@pytest.mark.parametrize("machines", [1, 2])
def test_rebalance_in_the_first_read_forecasts_each_newest_bar_once(
    serving_settings, history, broken, machines, tmp_path
):
    """On one machine, the second goes on from what the first has saved."""
    homes = [tmp_path, tmp_path if machines == 1 else tmp_path / "second"]
    first, second = (Reading(serving_settings.model_copy(update={"home": home})) for home in homes)
    second.go_on.set()
    with first.running():
        until(first.in_the_middle.is_set, "the first read is in its middle")
        with second.running():
            first.go_on.set()
            until(second.has_partitions.is_set, "the second has partitions")
            assert_one_forecast_of_each_newest_bar(serving_settings)
