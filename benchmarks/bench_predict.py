"""`POST /predict` against the same model in process, and behind `mlflow models serve`.

    .venv/bin/python benchmarks/bench_predict.py [--quick]

One model (the random walk: what is measured is the way to it), one history of 64 sessions, 5 steps. `in process` is the
pyfunc called in a loop: the raw limit. The gateway's way is caller -> gateway -> forecasting -> pyfunc, both as in
production (checks, budget, breaker, time budget, hashes); MLflow's is caller -> its scoring server -> pyfunc.
"""

import argparse
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import mlflow
import numpy as np
import orjson
import pandas as pd
from bench_fanout import MOST
from rich.console import Console
from rich.progress import track
from rich.table import Table

from contracts.measures import LEVELS
from forecasting.models.naive import Naive
from forecasting.modelstore.pyfunc import ARTIFACT, signature
from forecasting.modelstore.registry import _CODE

HERE = Path(__file__).parent
STEPS = 5


@dataclass(frozen=True, slots=True)
class Result:
    """Requests a second, and delays in milliseconds."""

    rate: float
    p50: float
    p99: float


def history(bars: int = 400) -> pd.DataFrame:
    """Return a made-up symbol of daily bars."""
    random = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, bars)))
    days = pd.bdate_range("2010-01-04", periods=bars) + pd.Timedelta(hours=21)
    frame = pd.DataFrame({"unique_id": "history", "ds": days, "y": close})
    return frame.assign(high=close * 1.01, low=close * 0.99)


def saved(folder: Path) -> str:
    """Save a fitted model as the registry does; return its folder."""
    Naive().fit(history()).save(folder / ARTIFACT)
    artifacts = {ARTIFACT: str(folder / ARTIFACT)}
    path = str(folder / "model")
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.pyfunc.save_model(
        path, python_model=str(_CODE), artifacts=artifacts, signature=signature(), pip_requirements=["mlflow"]
    )
    return path


def measured(ask: Callable[[], Callable[[], None]], seconds: float, callers: int) -> Result:
    """Let callers ask in a loop, each in a thread with a connection of its own."""
    delays: list[float] = []
    warm = threading.Barrier(callers)

    def call() -> None:
        once = ask()
        for _ in range(3):  # the first calls load what is loaded when it is needed
            once()
        warm.wait()
        end = time.monotonic() + seconds
        while (begun := time.monotonic()) < end:
            once()
            delays.append(time.monotonic() - begun)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = quantiles(delays, n=100)
    return Result(len(delays) / seconds, cuts[49] * 1e3, cuts[98] * 1e3)


def over_http(port: int, path: str, body: bytes) -> Callable[[], Callable[[], None]]:
    """Return what opens a connection and gives a function that asks once."""

    def ask() -> Callable[[], None]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def once() -> None:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, text[:300]

        return once

    return ask


@contextmanager
def server(command: list[str], port: int, ready: str, **environment: str) -> Iterator[None]:
    """Run a server until it answers, and end it."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        command, env={**os.environ, "PATH": path, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        stdin=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 180
        while not answers(port, ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} did not start")
            time.sleep(0.2)
        yield
    finally:
        os.killpg(process.pid, 9)  # the session that it leads: `mlflow models serve` starts others
        process.wait()


def answers(port: int, path: str) -> bool:
    """Tell whether a server answers."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="once each, 2 seconds")
    wish = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers must not outlive us
    repeat, seconds = (1, 2.0) if wish.quick else (3, 5.0)
    frame = history(64)
    stamps = frame["ds"].dt.strftime("%Y-%m-%dT%H:%M:%S").tolist()
    points = [{"ds": stamp, "y": value} for stamp, value in zip(stamps, frame["y"].tolist(), strict=True)]
    params = {"horizon": STEPS, "levels": list(LEVELS)}
    split = {"columns": ["unique_id", "ds", "y"], "data": [["history", each["ds"], each["y"]] for each in points]}
    ours = orjson.dumps({"history": points, "horizon": STEPS})
    theirs = orjson.dumps({"dataframe_split": split, "params": params})
    with tempfile.TemporaryDirectory(prefix="foretick-bench-") as name, ExitStack() as servers:
        folder = Path(name)
        path = saved(folder)
        model = mlflow.pyfunc.load_model(path)
        plain = frame[["unique_id", "ds", "y"]]
        forecasting, gateway, rival = free_port(), free_port(), free_port()
        (folder / "times").write_bytes(bytes(MOST * 8))
        python, mlflow_command = sys.executable, str(Path(sys.executable).with_name("mlflow"))
        servers.enter_context(
            server([python, str(HERE / "predict_server.py"), path, str(forecasting)], forecasting, "/ping")
        )
        servers.enter_context(
            server(
                [python, str(HERE / "fanout_server.py"), "hub", str(gateway), str(folder / "times")], gateway,
                "/health/live", FORETICK_FORECASTING=f"http://127.0.0.1:{forecasting}", FORETICK_PREDICT_PER_MINUTE="0",
            )
        )  # fmt: skip
        servers.enter_context(
            server(
                [mlflow_command, "models", "serve", "-m", path, "-p", str(rival), "--env-manager", "local"],
                rival,
                "/ping",
            )
        )
        ways: dict[str, Callable[[], Callable[[], None]]] = {
            "pyfunc in process": lambda: lambda: model.predict(plain, params=params),
            "gateway /predict": over_http(gateway, "/predict", ours),
            "mlflow models serve": over_http(rival, "/invocations", theirs),
        }
        table = Table(title=f"Predictions: {len(points)} sessions, {STEPS} steps; {seconds:g} s, median of {repeat}")
        for column in ("", "callers", "requests/s", "p50 ms", "p99 ms"):
            table.add_column(column, justify="left" if not column else "right")
        plan = [(callers, way) for callers in (1, 8) for way in ways if callers == 1 or way != "pyfunc in process"]
        for callers, way in track(plan, description="measuring", console=Console(stderr=True)):
            found = [measured(ways[way], seconds, callers) for _ in range(repeat)]
            middle = [median(getattr(each, figure) for each in found) for figure in Result.__slots__]
            table.add_row(way, str(callers), *(f"{figure:,.1f}" for figure in middle))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
