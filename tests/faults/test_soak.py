"""A whole system at work while its parts are killed, stopped and rebuilt: nobody ever sees what may not be seen.

`make soak` lets it run for an hour, with a kill in every minute, and keeps what it wrote down.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import psutil
import pytest
from rich.console import Console
from rich.table import Table

from contracts.topics import FORECAST_SCORES, STOCK_DATA, STOCK_FORECASTS
from producers.exchange.api import COMMAND
from stack.services.table import services
from streaming.ranges import every_end
from tests.faults.clients import OURS, Client, Listener, Reader, Sender, Shared, read_log
from tests.faults.test_backup import UP, quicken, well
from tests.support.histories import anomalies, summary
from tests.support.stacks import Stack
from tests.support.supervised import kill, running
from tests.support.waiting import until

MINUTES = float(os.environ.get("FORETICK_FAULT_SOAK_MINUTES", "2"))
MINUTE = 60.0
VICTIMS = (
    *("kafka", "registry", "mongodb", "mlflow", "exchange"),
    *("producers", "projections", "forecasting", "scoring", "gateway"),
)
SLEEPERS = ("kafka", "mongodb", "producers", "projections", "forecasting", "gateway")
TOPICS = (STOCK_DATA, STOCK_FORECASTS, FORECAST_SCORES)
MARKET = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
pytestmark = [pytest.mark.long, pytest.mark.realtime, pytest.mark.timeout(900 + 90 * MINUTES)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where history and report go; FORETICK_FAULT_SOAK_FOLDER keeps them."""
    folder = Path(os.environ.get("FORETICK_FAULT_SOAK_FOLDER", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Trouble:
    """Does harm: at least a kill a minute, every part in its turn."""

    def __init__(self, stack: Stack, dice: random.Random) -> None:
        self._stack = stack
        self._dice = dice
        self._victims = self._turns()
        self._rebuilding: subprocess.Popen[str] | None = None

    def _turns(self) -> Iterator[str]:
        while True:
            yield from self._dice.sample(VICTIMS, len(VICTIMS))

    def minute(self, number: int) -> list[str]:
        """Let a minute pass, with its harm; return what was done."""
        begun = time.monotonic()
        done = [self._rebuild()] if number % 10 == 3 else []
        time.sleep(self._dice.uniform(0, MINUTE / 3))
        for _ in range(self._dice.choice((1, 1, 1, 2, 3))):
            done.append(f"kill {self._kill(next(self._victims))}")
        if self._dice.random() < 0.4:
            done.append(f"stop {self._sleep(self._dice.choice(SLEEPERS), self._dice.uniform(2, 15))}")
        time.sleep(max(0.0, begun + MINUTE - time.monotonic()))
        return done

    def _kill(self, name: str) -> str:
        kill(self._stack.supervisor, name)
        return name

    def _sleep(self, name: str, seconds: float) -> str:
        """Let a process stand still, its connections open: who wakes up is somebody's zombie."""
        process = running(self._stack.supervisor, name)
        try:
            process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            process.send_signal(signal.SIGCONT)
        except psutil.NoSuchProcess:
            return f"{name} (it had just ended)"
        return f"{name} {seconds:.0f} s"

    def _rebuild(self) -> str:
        """Begin to rebuild a read model; whether it gets to its end among all the harm is its own affair."""
        self.end()
        self._rebuilding = self._stack.command("rebuild", "stock_data")
        return "rebuild stock_data"

    def end(self) -> None:
        if self._rebuilding:
            try:
                self._rebuilding.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                self._rebuilding.kill()
                self._rebuilding.communicate()
            self._rebuilding = None


class Report:
    """What each minute did."""

    COUNTS = ("acknowledged", "unknown", "heard", "told missing", "cut", "read", "refused", "not answered")

    def __init__(self, folder: Path) -> None:
        self._table = Table("minute", "harm", *self.COUNTS, "slowest", box=None)
        self._before: Counter[str] = Counter()
        self._delays = 0
        self._folder = folder

    def add(self, number: int, done: list[str], shared: Shared) -> None:
        now = Counter(shared.counts)
        delays = shared.delays[self._delays :]
        self._table.add_row(
            str(number),
            ", ".join(done),
            *(str(now[name] - self._before[name]) for name in self.COUNTS),
            f"{max(delays, default=0):.1f} s",
        )
        self._before, self._delays = now, self._delays + len(delays)
        self.show()

    def show(self, last: str = "") -> None:
        with (self._folder / "report.txt").open("w") as file:
            console = Console(file=file, width=180)
            console.print(self._table)
            console.print(last)
        print((self._folder / "report.txt").read_text())


def test_clients_of_a_system_whose_parts_are_killed_see_no_anomaly(stack, dice: random.Random, folder: Path):
    well(stack, *UP)
    well(stack, "train", "--families", "naive")
    quicken(stack, 3.0)
    shared = Shared(stack.layout, dice.randrange(2**32))
    ours = [f"{OURS}{number}" for number in range(3)]
    senders: list[Client] = [Sender(shared, number) for number in range(3)]
    readers = [Reader(shared, number, (*ours, *ours, *MARKET)) for number in range(3)]
    listeners = [
        Listener(shared, 0, "/live", STOCK_DATA),
        Listener(shared, 1, "/live", STOCK_DATA),
        Listener(shared, 2, f"/live?symbols={ours[0]}", STOCK_DATA, (f"{ours[0]}|",)),
        Listener(shared, 3, "/forecast", STOCK_FORECASTS),
    ]
    trouble, report = Trouble(stack, dice), Report(folder)
    for each in (*senders, *readers, *listeners):
        each.start()
    for number in range(1, int(MINUTES) + 1):
        report.add(number, trouble.minute(number), shared)
        assert not shared.failures, shared.failures
    trouble.end()
    _calm_down(stack, senders)
    log = read_log(stack.layout.stream(), TOPICS)
    for listener in listeners:
        listener.calm.set()
        until(lambda listener=listener: listener.heard_all(log), f"{listener.name} has heard all", 60, 0.2)
    _read_all(stack, shared, readers)
    _end([*readers, *listeners])
    shared.history.write(folder / "history.jsonl.gz")
    found = anomalies(shared.history, log, senders=OURS, complete=True)
    told = well(stack, "rebuild", "--all", "--verify-only")
    events = sum(map(len, log.values()))
    report.show(f"{events} events, {len(shared.history.operations)} operations; anomalies: {summary(found)}\n{told}")

    assert not shared.failures, shared.failures
    assert found == []
    assert told.count("Equal: ") == told.count(" = applied ") >= 6
    assert min(shared.counts[name] for name in ("acknowledged", "heard", "read")) > 50 * MINUTES


def _calm_down(stack: Stack, senders: list[Client]) -> None:
    """Wait until all parts are back, end what goes on, and wait until nothing is written any more."""
    here = [each for each in services(stack.layout) if each.name in VICTIMS]
    until(lambda: all(each.answers() for each in here), "everything answers", 120, 0.5)
    _end(senders)
    httpx.put(
        stack.layout.url("exchange", "/clock"), json={"running": False}, headers=COMMAND, timeout=10
    ).raise_for_status()
    ends: list[object] = []

    def still() -> bool:
        ends.append(every_end(stack.layout.stream()))
        return len(ends) > 4 and all(each == ends[-1] for each in ends[-5:])

    until(still, "nothing is written any more", 120, 2.0)


def _read_all(stack: Stack, shared: Shared, readers: list[Reader]) -> None:
    """Read each symbol once more, up to all that is known of it."""
    with httpx.Client(base_url=stack.layout.url("gateway"), timeout=20) as http:
        for symbol in sorted(shared.known):
            until(lambda symbol=symbol: readers[0].read(http, symbol, certain=True), f"{symbol} is read", 60, 0.5)


def _end(clients: Sequence[Client]) -> None:
    for each in clients:
        each.stop.set()
    for each in clients:
        each.join(60)
        assert not each.is_alive(), each.name
