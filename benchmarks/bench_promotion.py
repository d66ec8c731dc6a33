"""How soon a promoted version serves, and whether a forecast is missed or published twice meanwhile.

    .venv/bin/python benchmarks/bench_promotion.py [--quick]

The real forecasting service with real Kafka and MLflow; ten symbols close a session twice a second all the while. A
promotion is what a training does, the alias in MLflow and then `ModelPromoted`; measured is the time from before the
first to when the service names the new version as its champion. Afterwards the log is read: no forecast twice, and a
champion's forecast of each symbol from each session. Exits with 1 where the median is over two seconds or the log is
not as it should be. FORETICK_BENCH_SERVERS must run mlflow, too.
"""

import argparse
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import httpx
from bench_predict import free_port
from bench_serving import bars_of
from resampled import market
from rich.console import Console
from rich.table import Table
from servers import corner, servers

from contracts.events import BarClosed, ForecastIssued, ModelPromoted
from contracts.samples import sample
from contracts.topics import STOCK_FORECASTS
from forecasting.models.naive import Naive
from forecasting.modelstore.registry import ModelRegistry
from forecasting.settings import ForecastingSettings
from streaming.publisher import Publisher
from streaming.reader import read_all

SYMBOLS, HISTORY, PAUSE, GOAL = 10, 65, 0.5, 2.0


def until(true: Callable[[], bool], what: str, seconds: float = 600.0) -> float:
    """Wait until something is true; return the seconds it took."""
    began = time.perf_counter()
    while not true():
        if time.perf_counter() - began > seconds:
            raise TimeoutError(f"after {seconds:g} s not yet: {what}")
        time.sleep(0.02)
    return time.perf_counter() - began


def register(registry: ModelRegistry, seed: int) -> str:
    """Fit a random walk and register it; return its version."""
    data = market(2, 200, seed)
    with registry.run("naive", {}) as run_id:
        model_id = registry.log_model(Naive().fit(data), data[data["unique_id"] == "S000"].tail(70))
        return registry.register(model_id, run_id, {"family": "naive"}).version


def promote(settings: ForecastingSettings, registry: ModelRegistry, alias: str, version: str) -> None:
    """Move an alias and tell the log."""
    registry.point(alias, version)
    event = replace(sample(ModelPromoted), model_name=settings.model_name, alias=alias, version=version, family="naive")
    with Publisher(settings, "/benchmarks") as publisher:
        publisher.publish(event, time=event.decided_at)


def feed(settings: ForecastingSettings, bars: list[BarClosed], stop: threading.Event, fed: list[BarClosed]) -> None:
    """Close one session after another until told to stop."""
    with Publisher(settings, "/benchmarks") as publisher:
        while not stop.wait(PAUSE) and len(fed) < len(bars):
            for bar in bars[len(fed) : len(fed) + SYMBOLS]:
                publisher.publish(bar, time=bar.recorded_at)
                fed.append(bar)


def issued(settings: ForecastingSettings) -> list[ForecastIssued]:
    """Read the forecasts in the log."""
    return [record.event for record in read_all(settings, STOCK_FORECASTS) if isinstance(record.event, ForecastIssued)]


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three promotions instead of ten")
    count = 3 if parser.parse_args().quick else 10
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the service must not outlive us
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mark = uuid.uuid4().hex[:8]
    os.environ |= {"FORETICK_MODEL_NAME": f"bench-{mark}", "FORETICK_EXPERIMENT": f"bench-{mark}"}
    bars = bars_of(market(SYMBOLS, HISTORY + 600))
    with tempfile.TemporaryDirectory(prefix="foretick-bench-") as home, servers("mlflow") as running, corner(running):
        settings, port = ForecastingSettings(), free_port()
        registry = ModelRegistry(settings)
        versions = [register(registry, seed) for seed in range(count + 1)]
        promote(settings, registry, "naive", versions[0])
        promote(settings, registry, "champion", versions[0])
        first = bars[: SYMBOLS * HISTORY]
        with Publisher(settings, "/benchmarks") as publisher:
            for bar in first:
                publisher.publish(bar, time=bar.recorded_at)
        own = {"FORETICK_FORECASTING_PORT": str(port), "FORETICK_OPS_PORT": str(port), "FORETICK_HOME": home}
        service = subprocess.Popen(
            [sys.executable, "-m", "forecasting.serving.main"], env=os.environ | own,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"

        def champion() -> str:
            items = httpx.get(f"{url}/models", timeout=20).json()["items"]
            return str({item["alias"]: item["version"] for item in items}["champion"])

        try:
            until(lambda: answers(url), "the service was ready")
            until(lambda: len(issued(settings)) == SYMBOLS, "the first forecasts were issued")
            stop, fed, seconds = threading.Event(), list(first), []
            feeding = threading.Thread(target=feed, args=(settings, bars, stop, fed))
            feeding.start()
            try:
                for version in versions[1:]:
                    time.sleep(2 * PAUSE)  # some sessions with each champion
                    began = time.perf_counter()
                    promote(settings, registry, "champion", version)
                    until(lambda version=version: champion() == version, f"version {version} was at work")
                    seconds.append(time.perf_counter() - began)
            finally:
                stop.set()
                feeding.join()
            sessions = {bar.closed_at for bar in fed[len(first) - SYMBOLS :]}
            wanted = {(bar.symbol, bar.closed_at) for bar in fed if bar.closed_at in sessions}
            until(lambda: wanted <= shown(issued(settings)), "each symbol and session had a champion's forecast")
        finally:
            service.terminate()
            try:
                service.wait(60)
            except subprocess.TimeoutExpired:
                service.kill()
                service.wait()
        forecasts = issued(settings)
    twice = sum(number - 1 for number in Counter(each.forecast_id for each in forecasts).values())
    missed = len(wanted - shown(forecasts))
    table = Table(title=f"A promoted version serves: {count} promotions, {len(sessions)} sessions, {SYMBOLS} symbols")
    for column in ("median s", "least", "most", "forecasts", "missed", "twice"):
        table.add_column(column, justify="right")
    times = (f"{figure:.2f}" for figure in (median(seconds), min(seconds), max(seconds)))
    table.add_row(*times, str(len(forecasts)), str(missed), str(twice))
    Console(width=120).print(table)
    return int(median(seconds) > GOAL or missed > 0 or twice > 0)


def answers(url: str) -> bool:
    """Tell whether the service is ready."""
    try:
        return httpx.get(f"{url}/health/ready", timeout=5).is_success
    except httpx.HTTPError:
        return False


def shown(forecasts: list[ForecastIssued]) -> set[tuple[str, object]]:
    """Return which symbols and sessions a champion has forecast from."""
    return {(each.symbol, each.origin) for each in forecasts if each.model.role == "CHAMPION"}


if __name__ == "__main__":
    sys.exit(main())
