"""From the new bars of all symbols to their forecasts in Kafka, per family; beside one MLflow request per symbol.

    .venv/bin/python benchmarks/bench_serving.py [--quick]

500 symbols, resampled from real stocks, each with 65 sessions of history in a real Kafka. Then sessions close one after
another: measured is the time from publishing the bars until the broker has acknowledged every forecast, through the
service's own folding, models, calibration, lineage and publisher. The rival is `mlflow models serve` over the same
saved model, asked once per symbol with its window, over one connection; a sample of the symbols is asked, and the rest
extrapolated. It publishes nothing. Kafka: see servers.py.
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
from forecasting.serving.loaded_models import LoadedModels
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


def serve(
    settings: ServeSettings, model: LoadedModel, version: int, history: list[Record], sessions: list[list[BarClosed]]
) -> list[float]:
    """Let one model forecast sessions that close one after another; return the seconds of each."""
    named = replace(model, version=str(version))
    standing = Standing(history[-1].event.closed_at, LoadedModels({"champion": named}))
    publisher = Publisher(settings, "/benchmarks")
    serving = Serving(
        settings, standing, Publisher(settings, "/foretick/forecasting"), standing,
        serving_state(settings, KafkaLog(settings)),
        ends=partial(end_offsets, settings, STOCK_DATA), stop=threading.Event(),
    )  # fmt: skip
    serving.positions([(STOCK_DATA.name, number) for number in range(STOCK_DATA.partitions)])
    serving.apply(placed(history))
    serving.tick()  # the model begins at the newest bars: everything is warm
    symbols = len(sessions[0])
    assert serving.count == symbols, f"{serving.count} forecasts, not {symbols}: {serving.status()}"
    tail, seconds = Tail(settings, [STOCK_DATA]), []
    for bars in sessions:
        standing.moment = bars[0].closed_at
        before, began = serving.count, time.perf_counter()
        for bar in bars:
            publisher.publish(bar, time=bar.recorded_at)
        publisher.flush(30)
        came = 0
        while came < symbols:
            records = tail.poll(1.0)
            came += len(records)
            history += records
            serving.apply(placed(records))
        seconds.append(time.perf_counter() - began)
        assert serving.count - before == symbols, "each symbol is forecast once"
    tail.close()
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
    wish = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers must not outlive us
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="mlflow")  # it asks for an input example
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # as the service sets it
    symbols, rounds, sample = (60, 2, 10) if wish.quick else (500, 5, 50)
    names = ["naive", "lstm"] if wish.quick else list(FAMILIES)
    frame = market(symbols, HISTORY + rounds * len(names))
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
        rest = iter(bars[len(first) :])
        for number, each in enumerate(names, start=1):
            model = saved(each, folder)
            sessions = [[next(rest) for _ in range(symbols)] for _ in range(rounds)]
            home = settings.model_copy(update={"home": folder / f"home-{each}"})
            ours = serve(home, model, number, history, sessions)
            theirs = median(rival(str(folder / each), frame, sample)) * symbols
            table.add_row(each, spread(ours, 2), f"{theirs:.1f}", f"{theirs / median(ours):.0f}")
    table.caption = f"mlflow: {sample} requests measured, their median times {symbols}"
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
