"""A document server that is slow: what a person waits for does not wait behind what nobody waits for."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from contracts.events import ForecastIssued, ForecastScored
from contracts.samples import sample
from contracts.topics import FORECAST_SCORES, STOCK_FORECASTS
from projections.checkpoints import vector
from projections.mongo import Store
from projections.read_models.forecasts import FORECASTS
from projections.service import Projections
from projections.settings import ProjectionSettings
from streaming.publisher import Publisher
from streaming.reader import watermarks
from tests.faults.proxies import slow_proxy
from tests.support.waiting import PATIENCE, until

SCORES = 4000
RATE = 20  # forecasts a second
SECONDS = 10
SLOW = 150_000  # bytes a second: about 200 documents of scores, or 50 forecasts


@contextmanager
def projecting(settings: ProjectionSettings) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Projections(settings, (FORECASTS,)).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE * 15)


def lags(settings: ProjectionSettings, store: Store) -> tuple[int, int]:
    """Return how many forecasts and how many scores the read model has not read."""
    stands = vector(store.checkpoints(FORECASTS.name))
    return tuple(
        sum(end - stands.get(topic.name, {}).get(at, 0) for at, (_, end) in watermarks(settings, topic).items())
        for topic in (STOCK_FORECASTS, FORECAST_SCORES)
    )


def forecast(number: int) -> ForecastIssued:
    base = sample(ForecastIssued)
    return replace(base, forecast_id=f"f{number}", symbol=f"S{number % 40}")


def test_forecasts_do_not_wait_behind_a_backlog_of_scores(settings, monkeypatch):
    base = sample(ForecastScored)
    with Publisher(settings, "/tests") as publisher:
        for number in range(SCORES):
            scored = replace(
                base,
                forecast_id=f"old{number}",
                symbol=f"S{number % 40}",
                target_at=base.target_at + timedelta(days=number),
            )
            publisher.publish(scored, time=scored.recorded_at)
    server = urlsplit(settings.mongodb.get_secret_value())
    store = Store(settings)
    with slow_proxy(server.port, SLOW) as port:
        monkeypatch.setenv("FORETICK_MONGODB", server._replace(netloc=f"127.0.0.1:{port}").geturl())
        with projecting(ProjectionSettings(snapshot_seconds=0)), Publisher(settings, "/tests") as publisher:
            until(lambda: lags(settings, store)[1] < SCORES, "scores are taken in")
            seen = []
            began = time.monotonic()
            for number in range(RATE * SECONDS):
                publisher.publish(forecast(number), time=base.recorded_at)
                publisher.flush(30)
                if number % 10 == 0:
                    seen.append(lags(settings, store))
                time.sleep(max(0.0, began + (number + 1) / RATE - time.monotonic()))
            assert seen[-1][1] > 0, "there was no backlog of scores to wait behind: this machine is too fast"
            worst = max(forecasts for forecasts, _ in seen)
            print(f"forecasts behind at most: {worst} of {RATE} a second, beside {seen[-1][1]} scores")
            assert worst < 5 * RATE
            until(lambda: lags(settings, store) == (0, 0), "all is taken in", 120)
    store.close()
