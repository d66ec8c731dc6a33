"""Serving and scoring as processes of their own, cheap models in a real MLflow, bars of real sessions."""

import json
import os
import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tenacity import Retrying, retry_if_exception_type, stop_after_delay

from contracts.events import BarClosed, Event, ForecastIssued, ModelPromoted
from contracts.ids import stamp
from contracts.samples import sample
from contracts.topics import STOCK_FORECASTS, Topic
from forecasting.models.arima import Arima
from forecasting.models.naive import Naive
from forecasting.modelstore.registry import ModelRegistry
from forecasting.settings import ForecastingSettings
from streaming.errors import KafkaAway
from streaming.publisher import Publisher
from streaming.reader import read_all
from streaming.records import Record
from tests.integration.producing import Process
from tests.support.markets import bar, market
from tests.support.ports import HOST, free_port
from tests.support.topics import clear_topics

SYMBOLS = ("AAPL", "IBM", "MSFT")
SERVING, SCORING = "forecasting.serving.main", "forecasting.scoring.main"


class ClockServer:
    """A replay exchange's clock, put forward by hand."""

    def __init__(self) -> None:
        self.now = datetime(2006, 1, 1, tzinfo=UTC)
        clock = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"now": stamp(clock.now), "running": False}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_port}/clock"

    @contextmanager
    def running(self) -> Iterator["ClockServer"]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        yield self
        self._server.shutdown()
        self._server.server_close()


class Desk:
    """A corner of the servers with models, bars and processes in it."""

    def __init__(self, folder: Path, clock: ClockServer) -> None:
        mark = uuid.uuid4().hex[:8]
        self.clock = clock
        self.environment = {
            "FORETICK_MODEL_NAME": f"forecaster-{mark}",
            "FORETICK_EXPERIMENT": f"tests-{mark}",
            "FORETICK_CLOCK_URL": clock.url,
            "FORETICK_HOME": str(folder),
        }
        with _environment(self.environment):
            self.settings = ForecastingSettings()
            self.registry = ModelRegistry(self.settings)
        self._folder = folder
        self._publisher = Publisher(self.settings, "/tests")

    def close(self) -> None:
        """Remove the topics: brokers that tests share hold only so many partitions."""
        clear_topics(self.settings)

    def process(self, module: str, **environment: str) -> Process:
        port = free_port()
        ports = {"FORETICK_FORECASTING_PORT": str(port), "FORETICK_OPS_PORT": str(port)}
        return Process(module, self._folder, port, self.environment | ports | environment)

    def register(self, family: str) -> str:
        """Train a model on a made-up market and register it; return its version."""
        data = market(symbols=2, bars=200, seed=random.randrange(1 << 30))
        estimator = (Naive() if family == "naive" else Arima(max_order=1)).fit(data)
        with self.registry.run(family, {}) as run_id:
            model_id = self.registry.log_model(estimator, data[data["unique_id"] == "S0"].tail(70))
            return self.registry.register(model_id, run_id, {"family": family}).version

    def promote(self, alias: str, version: str, family: str) -> None:
        """Move an alias and say so in the log, as a training does."""
        self.registry.point(alias, version)
        name = self.settings.model_name
        self.publish([replace(sample(ModelPromoted), model_name=name, alias=alias, version=version, family=family)])

    def publish(self, events: Iterable[Event]) -> None:
        for event in events:
            moment = event.recorded_at if isinstance(event, BarClosed) else self.clock.now
            self._publisher.publish(event, time=moment)
        self._publisher.flush(30)

    def close_sessions(self, days: Iterable[int], symbols: Iterable[str] = SYMBOLS) -> None:
        """Publish the bars of sessions; the clock stands at the close of the last."""
        names = tuple(symbols)
        for day in days:
            self.clock.now = bar(day=day).closed_at
            self.publish(bar(symbol, day, price(symbol, day)) for symbol in names)

    def records(self, topic: Topic) -> list[Record]:
        """Read a topic; a broker under load may take a while to answer."""
        for attempt in Retrying(retry=retry_if_exception_type(KafkaAway), stop=stop_after_delay(60), reraise=True):
            with attempt:
                return list(read_all(self.settings, topic, on_poison="raise"))
        raise AssertionError("unreachable: the last attempt raises")

    def forecasts(self) -> list[ForecastIssued]:
        return [record.event for record in self.records(STOCK_FORECASTS) if isinstance(record.event, ForecastIssued)]

    def issued(self) -> Counter[tuple[str, datetime, str, str]]:
        """Count forecasts by symbol, origin, family and role."""
        return Counter((f.symbol, f.origin, f.model.family, f.model.role) for f in self.forecasts())


def price(symbol: str, day: int) -> float:
    return round(50 * (1 + 0.02 * random.Random(f"{symbol}{day}").random()), 2)


def owed(days: Iterable[int], roles: Mapping[str, str]) -> Counter[tuple[str, datetime, str, str]]:
    """Return what must be issued: each symbol, session and family once."""
    closes = [bar(day=day).closed_at for day in days]
    return Counter(
        (symbol, close, family, role) for symbol in SYMBOLS for close in closes for family, role in roles.items()
    )


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})
