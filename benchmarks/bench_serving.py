"""From the new bars of all symbols to their forecasts in Kafka, per family; beside one MLflow request per symbol.

    .venv/bin/python benchmarks/bench_serving.py [--quick] [--symbols 5000]

500 symbols, resampled from real stocks, each with 65 sessions of history in a real Kafka. Then sessions close one after
another: measured is the time from publishing the bars until the broker has acknowledged every forecast, through the
service's own folding, models, calibration, lineage and publisher; for each family as the only one at work, and for all
together. The rival is `mlflow models serve` over the same saved model, asked once per symbol with its window, over one
connection; a sample of the symbols is asked, and the rest extrapolated. It publishes nothing. Kafka: see servers.py.
"""

import argparse
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

import mlflow
import orjson
import pandas as pd
from bench_arima import spread
from bench_predict import free_port, over_http, server
from predict_server import loaded
from resampled import market
from rich.console import Console
from rich.table import Table
from servers import corner, servers

from contracts.events import BarClosed
from contracts.measures import LEVELS
from contracts.topics import STOCK_DATA
from forecasting.data.windows import CONTEXT
from forecasting.models.families import FAMILIES, family
from forecasting.modelstore.pyfunc import ARTIFACT, signature
from forecasting.modelstore.registry import _CODE, LoadedModel
from forecasting.serving.loaded_models import LoadedModels, freeze_heap
from forecasting.serving.service import Serving
from forecasting.serving.state import serving_state
from forecasting.settings import ServeSettings
from streaming.catching_up import KafkaLog, end_offsets
from streaming.publisher import Publisher
from streaming.reader import Tail
from streaming.records import Batch, Record

STEPS, HISTORY = 5, CONTEXT + 1
SMALL = {name: {"epochs": 1} for name in ("lstm", "transformer")}  # what is measured does not depend on the weights


@dataclass
class Standing:
    """The market's clock, and whoever knows the one model at work."""

    moment: datetime
    loaded: LoadedModels

    def now(self) -> datetime:
        """Return the time of the newest close."""
        return self.moment


def bars_of(frame: pd.DataFrame) -> list[BarClosed]:
    """Return a long frame's rows as events, by time."""
    bars = []
    for row in frame.sort_values(["ds", "unique_id"]).itertuples():
        closed = row.ds.to_pydatetime().replace(tzinfo=UTC)
        bars.append(
            BarClosed(
                symbol=row.unique_id, interval="P1D", opened_at=closed - timedelta(hours=6.5), closed_at=closed,
                open=row.y, high=row.high, low=row.low, close=row.y, volume=1000.0, currency="USD", source="bench",
                revision=0, recorded_at=closed, payload_sha256="",
            )
        )  # fmt: skip
    return bars


def saved(name: str, folder: Path) -> LoadedModel:
    """Fit a family on a small market and save it as the registry does; return it loaded, with version = family."""
    estimator = family(name)(**SMALL.get(name, {})).fit(market(8, 400, seed=8))
    estimator.save(folder / f"{name}-made" / ARTIFACT)
    mlflow.pyfunc.save_model(
        str(folder / name), python_model=str(_CODE), artifacts={ARTIFACT: str(folder / f"{name}-made" / ARTIFACT)},
        signature=signature(), pip_requirements=["mlflow"],
    )  # fmt: skip
    return loaded(str(folder / name))


def take(tail: Tail, wanted: int) -> list[Record]:
    """Read so many records."""
    records: list[Record] = []
    while len(records) < wanted:
        records += tail.poll(1.0)
    return records


def placed(records: list[Record]) -> Batch:
    """Return records as the consumer loop hands them on."""
    return Batch(records, next_offsets={(record.topic, record.partition): record.offset + 1 for record in records})


class Market:
    """Sessions that close one after another, and the service that forecasts them."""

    def __init__(self, settings: ServeSettings, history: list[Record]) -> None:
        self._standing = Standing(history[-1].event.closed_at, LoadedModels())
        self._publisher, self._tail = Publisher(settings, "/benchmarks"), Tail(settings, [STOCK_DATA])
        self._serving = Serving(
            settings, self._standing, Publisher(settings, "/foretick/forecasting"), self._standing,
            serving_state(settings, KafkaLog(settings)),
            ends=partial(end_offsets, settings, STOCK_DATA), stop=threading.Event(),
        )  # fmt: skip
        self._serving.positions([(STOCK_DATA.name, number) for number in range(STOCK_DATA.partitions)])
        self._serving.apply(placed(history))
        history.clear()  # a service does not hold it

    def serve(self, models: dict[str, LoadedModel], sessions: list[list[BarClosed]]) -> list[float]:
        """Let these models, by alias, forecast sessions; return the seconds of each."""
        self._standing.loaded = LoadedModels(models)
        freeze_heap()
        self._serving.tick()
        self._serving.tick()  # they begin at the newest bars: everything is warm
        seconds = []
        for bars in sessions:
            self._standing.moment = bars[0].closed_at
            before, began = self._serving.count, time.perf_counter()
            for bar in bars:
                self._publisher.publish(bar, time=bar.recorded_at)
            self._publisher.flush(60)
            came = 0
            while came < len(bars):
                records = self._tail.poll(1.0)
                came += len(records)
                self._serving.apply(placed(records))
            seconds.append(time.perf_counter() - began)
            made, due = self._serving.count - before, len(bars) * len(models)
            assert made == due, f"{made} forecasts, not {due}: {self._serving.status()}"
        return seconds


def rival(folder: str, frame: pd.DataFrame, sample: int) -> list[float]:
    """Ask `mlflow models serve` for one symbol after another; return the seconds of each answer."""
    port, command = free_port(), str(Path(sys.executable).with_name("mlflow"))
    windows = [rows.tail(CONTEXT) for _, rows in frame.groupby("unique_id")][: sample + 3]
    with server([command, "models", "serve", "-m", folder, "-p", str(port), "--env-manager", "local"], port, "/ping"):
        seconds = []
        for window in windows:
            split = window.assign(ds=window["ds"].dt.strftime("%Y-%m-%dT%H:%M:%S")).to_dict(orient="split", index=False)
            params = {"horizon": STEPS, "levels": list(LEVELS)}
            body = orjson.dumps({"dataframe_split": {**split, "columns": list(split["columns"])}, "params": params})
            once = over_http(port, "/invocations", body)()
            began = time.perf_counter()
            once()
            seconds.append(time.perf_counter() - began)
    return seconds[3:]  # the first ones load what is loaded when it is needed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="60 symbols, two sessions, naive and lstm")
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--alone", action="store_true", help="without the rival")
    wish = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers must not outlive us
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="mlflow")  # it asks for an input example
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # as the service sets it
    symbols, rounds, sample = (60, 2, 10) if wish.quick else (wish.symbols, 5, 50)
    names = ["naive", "lstm"] if wish.quick else list(FAMILIES)
    frame = market(symbols, HISTORY + rounds * (len(names) + 1))
    bars = bars_of(frame)
    table = Table(title=f"New bars of {symbols} symbols to their forecasts in Kafka, median of {rounds} (spread)")
    for column in ("", "seconds", f"mlflow, {symbols} requests, s", "times as fast"):
        table.add_column(column, justify="left" if not column else "right")
    with tempfile.TemporaryDirectory(prefix="foretick-bench-") as name, servers() as running, corner(running):
        settings, folder = ServeSettings(), Path(name)
        tail, publisher = Tail(settings, [STOCK_DATA]), Publisher(settings, "/benchmarks")
        first = bars[: symbols * HISTORY]
        for bar in first:
            publisher.publish(bar, time=bar.recorded_at)
        publisher.flush(60)
        history = sorted(take(tail, len(first)), key=lambda record: record.event.closed_at)
        tail.close()
        closing = iter([bars[at : at + symbols] for at in range(len(first), len(bars), symbols)])
        models = {each: replace(saved(each, folder), version=f"{at}") for at, each in enumerate(names, start=1)}
        served = Market(settings.model_copy(update={"home": folder / "home"}), history)
        asked = [*({"champion": model} for model in models.values()), models]
        for each, wanted in zip([*names, "all together"], asked, strict=True):
            ours = served.serve(wanted, [next(closing) for _ in range(rounds)])
            if wish.alone or each not in models:
                table.add_row(each, spread(ours, 2))
                continue
            theirs = median(rival(str(folder / each), frame, sample)) * symbols
            table.add_row(each, spread(ours, 2), f"{theirs:.1f}", f"{theirs / median(ours):.0f}")
    table.caption = f"mlflow: {sample} requests measured, their median times {symbols}"
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
