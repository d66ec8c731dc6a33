"""A bar is published: how long until its document can be read, at 200 bars a second?

    .venv/bin/python benchmarks/bench_visibility.py [--quick] [--rate 200] [--seconds 20]

Ours is the projections service with `stock_data` alone, in a process of its own; the rivals are the loop that only
inserts (no safety: the raw limit) and the one that upserts, into a collection with the same index. A thread asks the
server for what is awaited: its questions are part of the load. Delays count from when a bar was due, so whoever falls
behind is not flattered. Each measurement has a topic and a database of its own.
"""

import argparse
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import quantiles

import market
from bench_projections import begin
from pymongo import MongoClient
from rich.console import Console
from rich.table import Table
from servers import Servers, corner, servers
from watch import interleaved, told

from contracts.ids import bar_id
from projections.read_models.bars import BARS
from projections.settings import ProjectionSettings

HERE = Path(__file__).parent
_ASKED = 20  # documents asked for at once
_WARM = 2.0  # seconds of bars at first


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays of one round, in milliseconds."""

    p50: float
    p95: float
    p99: float


class Onlooker:
    """Looks for documents, oldest first, and notes when each is there."""

    def __init__(self, settings: ProjectionSettings, name_of: str) -> None:
        self.delays: list[float] = []
        self.awaited: deque[tuple[str, float]] = deque()
        self._stamp = name_of
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Onlooker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        with MongoClient(self._settings.mongodb.get_secret_value()) as client:
            collection = client[self._settings.mongodb_database][BARS.name]
            while not self._stop.is_set():
                asked = [self.awaited[index] for index in range(min(_ASKED, len(self.awaited)))]
                names = [name for name, _ in asked]
                there = (
                    {each["_id"] for each in collection.find({"_id": {"$in": names}}, {"_id": 1})} if names else set()
                )
                now = time.monotonic()
                for name, due in asked:
                    if name in there:
                        self.awaited.remove((name, due))
                        self.delays.append(now - due)
                if not there:
                    time.sleep(0.002)


def measure(running: Servers, kind: str, rate: int, seconds: float) -> Delays:
    """Publish at a steady rate and watch the documents come."""
    with corner(running) as settings:
        return _measured(running, settings, kind, rate, seconds)


def _measured(running: Servers, settings: ProjectionSettings, kind: str, rate: int, seconds: float) -> Delays:
    begin(settings, indexed=kind != "serve")
    command = [sys.executable, str(HERE / "contender.py"), kind, str(1 << 40), str(running.mongodb)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    writer, made = market.Writer(settings), market.bars(int(rate * (seconds + _WARM * 20)), revisions=0)
    try:
        with Onlooker(settings, kind) as onlooker:
            while (
                onlooker.awaited or len(onlooker.delays) < rate * _WARM
            ):  # it joins its group, and takes in what was there
                _steadily(writer, made, onlooker, rate, _WARM) if not onlooker.awaited else time.sleep(0.1)
                if process.poll() is not None:
                    raise RuntimeError(f"{kind} ended")
            onlooker.delays.clear()
            _steadily(writer, made, onlooker, rate, seconds)
            deadline = time.monotonic() + 120
            while onlooker.awaited and time.monotonic() < deadline:
                time.sleep(0.05)
            if onlooker.awaited:
                raise RuntimeError(f"{kind}: {len(onlooker.awaited)} documents never came")
            cuts = quantiles(onlooker.delays, n=100)
            return Delays(cuts[49] * 1e3, cuts[94] * 1e3, cuts[98] * 1e3)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        if kind != "serve":
            process.kill()  # the loops know no other end
        process.wait(60)


def _steadily(writer: market.Writer, made, onlooker: Onlooker, rate: int, seconds: float) -> None:
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        due = began + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        bar = next(made)
        name = bar_id(bar["symbol"], bar["interval"], bar["closed_at"])
        onlooker.awaited.append((name if onlooker._stamp == "serve" else name.replace("Z", "+00:00"), due))
        writer.send(bar)
    writer.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round, 3 seconds")
    parser.add_argument("--rate", type=int, default=200, help="bars a second (default: 200)")
    parser.add_argument("--seconds", type=float, default=0, help="of each round (default: 20)")
    parser.add_argument("--rounds", type=int, default=0, help="interleaved rounds (default: 5)")
    wish = parser.parse_args()
    rounds, seconds = wish.rounds or (1 if wish.quick else 5), wish.seconds or (3.0 if wish.quick else 20.0)
    kinds = {"Foretick": "serve", "insert_many": "insert", "upsert": "upsert"}
    with servers() as running:
        ways = {name: partial(measure, running, kind, wish.rate, seconds) for name, kind in kinds.items()}
        found = interleaved(ways, rounds)
    table = Table(title=f"Published -> visible, {wish.rate} bars/s for {seconds:g} s; median of {rounds} rounds")
    for column in ("", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(column, justify="left" if not column else "right")
    for name, delays in found.items():
        table.add_row(name, *(told([getattr(each, cut) for each in delays]) for cut in Delays.__slots__))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
