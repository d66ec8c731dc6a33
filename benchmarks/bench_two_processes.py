"""Two processes of the projections share the partitions: what the second one brings.

    .venv/bin/python benchmarks/bench_two_processes.py [--quick] [--events 20000]

One or two processes of the service (`stock_data` only) find the whole topic before them. Time runs from the first
checkpoint that moves to the last; medians of interleaved rounds. They share the document server and the cores.
"""

import argparse
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median

import market
from rich.console import Console
from rich.table import Table
from servers import Servers, corner, drop_database, servers
from watch import Took, cpu_of, interleaved, told

from projections.mongo import Store
from projections.read_models.bars import BARS
from projections.settings import ProjectionSettings

HERE = Path(__file__).parent


def shared(running: Servers, settings: ProjectionSettings, events: int, processes: int) -> Took:
    """Let so many processes read the topic; return what that took."""
    drop_database(settings)
    store = Store(settings)
    command = [sys.executable, str(HERE / "contender.py"), "serve", "0", str(running.mongodb)]
    members = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(processes)
    ]
    try:
        before: tuple[float, float, float] | None = None
        deadline = time.monotonic() + 1200
        while (read := sum(row["read"] for row in store.checkpoints(BARS.name))) < events:
            if time.monotonic() > deadline or any(member.poll() is not None for member in members):
                raise RuntimeError(f"{processes} processes read {read} of {events} events, and no more")
            if read and before is None:
                before, seen = (time.monotonic(), _cpu(members), cpu_of(running.mongodb)), read
            time.sleep(0.1)
        assert before is not None, "all was read between two looks: more events are needed"
        count = events - seen
        after = (time.monotonic(), _cpu(members), cpu_of(running.mongodb))
        return Took(*((now - then) / count for now, then in zip(after, before, strict=True)), memory=0)
    finally:
        for member in members:
            assert member.stdin is not None
            member.stdin.close()  # the end of its input tells it to stop
        for member in members:
            member.wait(60)
        store.close()


def _cpu(members: list[subprocess.Popen[bytes]]) -> float:
    return sum(cpu_of(member.pid) for member in members)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="6,000 events, one round")
    parser.add_argument("--events", type=int, default=0, help="events (default: 20,000)")
    parser.add_argument("--rounds", type=int, default=0, help="interleaved rounds (default: 5)")
    wish = parser.parse_args()
    events = wish.events or (6_000 if wish.quick else 20_000)
    rounds = wish.rounds or (1 if wish.quick else 5)
    with servers() as running, corner(running) as settings:
        market.publish(settings, events)
        ways = {f"{number}": partial(shared, running, settings, events, number) for number in (1, 2)}
        found = interleaved(ways, rounds)
    table = Table(title=f"Processes that share {events:,} events; median of {rounds} rounds")
    for column in ("processes", "events/s", "CPU us", "server us", "server's share of a core"):
        table.add_column(column, justify="right")
    for name, tooks in found.items():
        busy = median(took.server / took.seconds for took in tooks)
        cpu = (f"{median(getattr(took, kind) for took in tooks) * 1e6:.0f}" for kind in ("client", "server"))
        table.add_row(name, told([1 / took.seconds for took in tooks]), *cpu, f"{busy:.2f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
