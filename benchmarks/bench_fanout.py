"""Fan-out: the gateway's hub against the loop of the tutorial, both over real sockets on loopback.

    .venv/bin/python benchmarks/bench_fanout.py [--quick]

Each server is one process on one core; the clients are another process, cheap enough not to be the bottleneck (its
CPU is shown). 1 % of the hub's clients never read. The tutorial's loop is spared those: the first would stop it for
good. Delays count from when a message was due, so a server that falls behind is not flattered. Medians of the
repetitions.
"""

import argparse
import mmap
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import psutil
from crowd import Crowd, allow_many_files
from fanout_server import MOST
from rich.console import Console
from rich.progress import track
from rich.table import Table

FIRST = '{"type":"resume","positions":{}}'
STALLED = 0.01


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement; delays in milliseconds, memory in kB, CPU in cores."""

    delivered: float
    p50: float
    p99: float
    cpu: float
    clients_cpu: float
    memory: float


@contextmanager
def running(kind: str) -> Iterator[tuple[subprocess.Popen[str], int, memoryview]]:
    """Run a server; yield its process, its port, and the publish times by offset."""
    with tempfile.NamedTemporaryFile(prefix="foretick-bench-") as file:
        file.truncate(MOST * 8)
        with mmap.mmap(file.fileno(), MOST * 8) as shared, memoryview(shared).cast("d") as times:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            command = (sys.executable, str(Path(__file__).with_name("fanout_server.py")), kind, str(port), file.name)
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL
            )
            try:
                deadline = time.monotonic() + 60
                while True:
                    try:
                        socket.create_connection(("127.0.0.1", port), 1).close()
                        break
                    except OSError:
                        if process.poll() is not None or time.monotonic() > deadline:
                            raise RuntimeError(f"the server `{kind}` did not start") from None
                        time.sleep(0.1)
                yield process, port, times
            finally:
                process.kill()
                process.wait()


def measure(kind: str, clients: int, rate: int, seconds: float) -> Result:
    """Measure one server with so many clients at so many messages a second."""
    with running(kind) as (process, port, times):
        server, own = psutil.Process(process.pid), psutil.Process()
        crowd = Crowd(port, times=times)
        crowd.join(10)  # what is made once is not the clients'
        crowd.hear(0.5)
        crowd.drop()
        time.sleep(0.5)
        before = server.memory_info().rss
        stalled = int(clients * STALLED) if kind == "hub" else 0
        crowd.join(clients - stalled, first=FIRST if kind == "hub" else "", sample_every=max(1, clients // 50))
        if stalled:
            crowd.join(stalled, first=FIRST, slow=True)
        crowd.hear(1.0)
        tell(process, f"feed {rate}")
        crowd.hear(2.0)
        crowd.forget()
        cpu, own_cpu = used(server), used(own)
        took = crowd.hear(seconds)
        cpu, own_cpu = (used(server) - cpu) / took, (used(own) - own_cpu) / took
        memory = (server.memory_info().rss - before) / clients / 1024
        cuts = quantiles(crowd.delays, n=100) if len(crowd.delays) > 1 else [float("inf")] * 99
        result = Result(crowd.messages / took, cuts[49] * 1e3, cuts[98] * 1e3, cpu, own_cpu, memory)
        crowd.drop()
        return result


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Say a line to a server."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def used(process: psutil.Process) -> float:
    """Return the seconds of CPU that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def middle(results: list[Result]) -> Result:
    """Return the median of each figure."""
    return Result(*(median(getattr(result, name) for result in results) for name in Result.__slots__))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer cases, once each, 3 seconds")
    parser.add_argument("--only", metavar="CLIENTSxRATE", help="one case, such as 1000x200")
    parser.add_argument("--repeat", type=int, default=0, help="repetitions (default: 3; 1 with --quick)")
    wish = parser.parse_args()
    cases = [(100, 10), (1000, 200)] if wish.quick else [(n, r) for n in (100, 1000, 5000) for r in (10, 50, 200)]
    if wish.only:
        clients, _, rate = wish.only.partition("x")
        cases = [(int(clients), int(rate))]
    files = allow_many_files()
    cases = [case for case in cases if case[0] + 100 < files]
    repeat, seconds = wish.repeat or (1 if wish.quick else 3), 3.0 if wish.quick else 5.0
    table = Table(title=f"Fan-out, 1 % of the hub's clients stalled; {seconds:g} s, median of {repeat}")
    for name in (
        "clients",
        "msg/s",
        "server",
        "due/s",
        "delivered/s",
        "p50 ms",
        "p99 ms",
        "CPU",
        "per CPU s",
        "clients' CPU",
        "kB/client",
    ):
        table.add_column(name, justify="left" if name == "server" else "right")
    plan = [(clients, rate, kind) for clients, rate in cases for kind in ("hub", "tutorial")]
    for clients, rate, kind in track(plan, description="measuring", console=Console(stderr=True)):
        found = middle([measure(kind, clients, rate, seconds) for _ in range(repeat)])
        table.add_row(
            *(f"{number:,}" for number in (clients, rate)), kind,
            *(f"{number:,.0f}" for number in (clients * rate, found.delivered)),
            *(f"{number:,.1f}" for number in (found.p50, found.p99)),
            f"{found.cpu:.2f}", f"{found.delivered / max(found.cpu, 0.01):,.0f}",
            f"{found.clients_cpu:.2f}", f"{found.memory:.0f}",
            end_section=kind == "tutorial",
        )  # fmt: skip
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
