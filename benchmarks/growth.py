"""Growth: what a start of each service costs as the log grows, at the same number of symbols; `make bench-growth`.

    .venv/bin/python benchmarks/growth.py [--sizes 100000,1000000,5000000] [--services producers,scoring]

For each size: seed the log (500 symbols, daily bars), start each service without any state of its own, start it again,
rebuild `stock_data`, prove it, and publish as fast as can be beside the running projections. Each step prints one JSON
line: seconds until the service is ready and has read all, CPU seconds and peak memory of its process, and how large its
saved state is. What should hold of them stands in docs/reference/benchmarks.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import exchange_calendars
import httpx
import psutil
from bench_predict import free_port
from bench_promotion import register
from market import Writer
from servers import Servers, corner, servers

from contracts.parts import CHAMPION, NAIVE
from forecasting.modelstore.registry import ModelRegistry
from forecasting.settings import ForecastingSettings

SYMBOLS = [f"S{number:03d}" for number in range(500)]
MODULES = {
    "producers": "producers.main",
    "projections": "projections.main",
    "forecasting": "forecasting.serving.main",
    "scoring": "forecasting.scoring.main",
    "gateway": "gateway.main",
}
BURST = 20_000  # corrections
_FIRST, _LAST = "1970-02-02", "2025-12-31"
_PATIENCE = 3600.0


def daily(first: int, until: int) -> Iterator[dict[str, Any]]:
    """Yield a bar of each symbol for each session of New York from the `first` to before the `until`-th of 1970."""
    sessions = exchange_calendars.get_calendar("XNYS", start=_FIRST, end=_LAST).schedule
    for place in range(first, until):
        opened, closed = (sessions[name].iloc[place].to_pydatetime().astimezone(UTC) for name in ("open", "close"))
        for number, symbol in enumerate(SYMBOLS):
            close = 100.0 + (place * 7 + number * 13) % 50 / 10
            yield {
                "symbol": symbol,
                "exchange": "XNYS",
                "interval": "P1D",
                "opened_at": opened,
                "closed_at": closed,
                "open": 102.0,
                "high": 106.0,
                "low": 99.0,
                "close": close,
                "volume": 12000.0,
                "currency": "USD",
                "source": "bench",
                "revision": 0,
                "recorded_at": closed,
                "payload_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            }


def tell(step: str, bars: int, **figures: float | str) -> None:
    """Print one step."""
    rounded = {name: round(value, 2) if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps({"step": step, "bars": bars, **rounded}), flush=True)


def bytes_under(folder: Path) -> int:
    """Return the size of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def peak(pid: int) -> float:
    """Return the most memory that a process has held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


@contextmanager
def started(service: str, home: Path) -> Iterator[tuple[dict[str, float], httpx.Client]]:
    """Run a service; once it is ready and has read all, yield what that took, and a client of it."""
    port = free_port()
    environment = os.environ | {
        "FORETICK_HOME": str(home),
        "FORETICK_OPS_PORT": str(port),
        "FORETICK_GATEWAY_PORT": str(port),
        "FORETICK_FORECASTING_PORT": str(port),
        "FORETICK_SOURCE": "csv",
        "FORETICK_SYMBOLS": ",".join(SYMBOLS),
        "FORETICK_CSV_PATH": str(home / "bars"),
        "FORETICK_POLL_SECONDS": "3600",
    }
    began = time.monotonic()
    with (home / f"{service}.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULES[service]], env=environment, stdout=output, stderr=output
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            while not has_read_all(client):
                if process.poll() is not None or time.monotonic() - began > _PATIENCE:
                    raise RuntimeError(f"{service} did not become ready: {home / service}.log")
                time.sleep(0.05)
            seconds, times = time.monotonic() - began, psutil.Process(process.pid).cpu_times()
            figures = {
                "ready_s": seconds,
                "cpu_s": times.user + times.system,
                "peak_mb": peak(process.pid),
                "state_mb": bytes_under(home / "state") / 1e6,
            }
            yield figures, client
    finally:
        process.terminate()
        process.wait(60)


def has_read_all(client: httpx.Client) -> bool:
    """Tell whether a service is ready and lags behind nothing."""
    try:
        if client.get("/health/ready").status_code != 200:
            return False
        status = client.get("/status").json()
    except httpx.TransportError:
        return False
    return all(part["caught_up"] for part in status.get("read_models", [status]) if "lag" in part)


def foretick(*arguments: str) -> float:
    """Run a command; return its seconds."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "stack", *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def put_to_work() -> None:
    """Register a random walk and make it the champion: serving is not ready without one."""
    registry = ModelRegistry(ForecastingSettings())
    version = register(registry, seed=1)
    for alias in (NAIVE, CHAMPION):
        registry.point(alias, version)


def write_csv(folder: Path, day: date) -> None:
    """Write what the vendor of the benchmark has: one day that the log has, too."""
    folder.mkdir(exist_ok=True)
    for number, symbol in enumerate(SYMBOLS):
        close = 100.0 + number * 13 % 50 / 10
        (folder / f"{symbol}.csv").write_text(
            f"date,open,high,low,close,volume\n{day},102,106,99,{close},12000\n", encoding="utf-8"
        )


def measure(running: Servers, sizes: list[int], names: list[str], home: Path) -> None:
    """Print every step of every size."""
    with corner(running) as settings:
        writer, sessions = Writer(settings), 0
        write_csv(home / "bars", date(1970, 2, 2))
        for size in sizes:
            began, upto = time.monotonic(), size // len(SYMBOLS)
            for record in daily(sessions, upto):
                writer.send(record)
            writer.flush()
            sessions = upto
            tell("seed", size, seconds=time.monotonic() - began)
            if "forecasting" in names:
                os.environ["FORETICK_MODEL_NAME"] = f"{home.name}-{size}"  # one that has forecast nothing yet
                put_to_work()
            for service in names:
                shutil.rmtree(home / "state", ignore_errors=True)
                for step in ("first start", "start"):
                    with started(service, home) as (figures, _):
                        tell(step, size, service=service, **figures)
            if "projections" in names:
                tell("rebuild", size, seconds=foretick("rebuild", "stock_data"))
                tell("validate", size, seconds=foretick("rebuild", "stock_data", "--verify-only"))
                tell("stress", size, **burst(writer, home))


def burst(writer: Writer, home: Path) -> dict[str, float]:
    """Publish corrections as fast as can be beside the projections; return what came and how fast."""
    now = datetime.now(UTC)
    with started("projections", home) as (_, client):
        began = time.monotonic()
        for record in daily(0, BURST // len(SYMBOLS)):
            writer.send({**record, "revision": int(now.timestamp()), "recorded_at": now})
        writer.flush()
        published = time.monotonic() - began
        time.sleep(0.5)
        while not has_read_all(client):
            time.sleep(0.05)
        return {"events": BURST, "published_s": published, "read_s": time.monotonic() - began}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100000,1000000,5000000", help="bars, each more than the one before")
    parser.add_argument(
        "--services", default="producers,projections,forecasting,scoring", help=f"of {', '.join(MODULES)}"
    )
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foretick-growth-") as home, servers("mlflow") as running:
        measure(running, list(map(int, wish.sizes.split(","))), wish.services.split(","), Path(home))


if __name__ == "__main__":
    main()
