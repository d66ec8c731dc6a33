"""A reconnect storm: every client is cut off at once, comes back, and says where it was.

    .venv/bin/python benchmarks/bench_reconnect.py [--quick]

Bars go on meanwhile. Measured: from the first attempt to come back until the last client has everything that was
published by then; the messages that are missing or doubled (each client's offsets are compared with the log's); and the
commands that the gateway sent to MongoDB. The rival is what most dashboards do: each client fetches a snapshot again,
so the database is asked once for each; that number is counted, not measured.
"""

import argparse
import time
from dataclasses import dataclass
from statistics import median
from subprocess import Popen

from bench_fanout import running, tell
from crowd import Crowd, allow_many_files
from rich.console import Console
from rich.progress import track
from rich.table import Table

TOPIC = "stock-data"
AWAY = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Storm:
    """One storm: seconds until all were back with everything, messages missing or doubled, commands to MongoDB."""

    seconds: float
    wrong: int
    owed: int
    commands: int


def storm(clients: int, rate: int) -> Storm:
    """Cut so many clients off while bars go on."""
    with running("hub") as (process, port, times):
        crowd = Crowd(port)
        crowd.join(clients, first=resuming(-1), sample_every=1)
        tell(process, f"feed {rate}")
        crowd.hear(2.0)
        before = [list(member.seen) for member in crowd.members]
        crowd.drop()
        time.sleep(AWAY)
        begun = time.monotonic()
        crowd.join(clients, first=[resuming(seen[-1] if seen else -1) for seen in before], sample_every=1)
        wanted = published(times)
        deadline = begun + 60
        while not all(member.seen and member.seen[-1] >= wanted for member in crowd.members):
            crowd.hear(0.02)
            if time.monotonic() > deadline:
                break
        seconds = time.monotonic() - begun
        wrong = owed = 0
        for earlier, member in zip(before, crowd.members, strict=True):
            own = [offset for offset in earlier + member.seen if offset <= wanted]
            wrong += len(set(range(wanted + 1)) ^ set(own)) + len(own) - len(set(own))
            owed += wanted + 1 - len(earlier)
        commands = int(ask(process, "commands"))
        crowd.drop()
        return Storm(seconds, wrong, owed, commands)


def resuming(offset: int) -> str:
    """Return what a client says first: the last offset that it has seen."""
    return f'{{"type":"resume","positions":{{"{TOPIC}":{{"0":{offset}}}}},"epochs":{{"{TOPIC}":"bench"}}}}'


def published(times: memoryview) -> int:
    """Return the newest offset that has a time."""
    offset = 0
    while times[offset + 1]:
        offset += 1
    return offset


def ask(process: Popen[str], question: str) -> str:
    """Say a line to a server and return the line that it answers."""
    tell(process, question)
    assert process.stdout is not None
    return process.stdout.readline()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200 clients, once")
    wish = parser.parse_args()
    allow_many_files()
    clients, rate, repeat = (200, 50, 1) if wish.quick else (1000, 50, 3)
    console = Console(stderr=True)
    found = [storm(clients, rate) for _ in track(range(repeat), description="storming", console=console)]
    table = Table(title=f"{clients:,} clients cut off at once for {AWAY:g} s, {rate} bars a second, median of {repeat}")
    for name in ("", "all back after", "messages owed", "missing or doubled", "MongoDB commands"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row(
        "resume by position",
        f"{median(each.seconds for each in found):.2f} s",
        f"{median(each.owed for each in found):,.0f}",
        str(max(each.wrong for each in found)),
        str(max(each.commands for each in found)),
    )
    table.add_row("snapshot again (counted)", "", "", "", f"{clients:,}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
