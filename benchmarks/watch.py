"""A watch on one contender, and what is printed of many rounds."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

import psutil
from rich.console import Console
from rich.progress import track

T = TypeVar("T")
MARK = "measured "  # begins the line that tells a contender's result; logs may stand before and after it


@dataclass(frozen=True, slots=True)
class Took:
    """What a contender took: seconds, CPU seconds of its process and of the document server, bytes at the peak."""

    seconds: float
    client: float
    server: float
    memory: int


class Watch:
    """Wall clock and CPU of this process and of the document server, from `start` to `stop`."""

    def __init__(self, mongodb: int) -> None:
        self._mongodb = mongodb
        self._began: tuple[float, float, float] | None = None

    def start(self) -> None:
        """Begin, the first time."""
        self._began = self._began or self._now()

    def stop(self) -> None:
        """Print the result."""
        assert self._began is not None
        seconds, client, server = (now - then for now, then in zip(self._now(), self._began, strict=True))
        told = {"seconds": seconds, "client": client, "server": server, "memory": peak()}
        print(MARK + json.dumps(told), flush=True)

    def _now(self) -> tuple[float, float, float]:
        return time.monotonic(), time.process_time(), cpu_of(self._mongodb)


def peak() -> int:
    """Return the most memory that this program has held, in bytes: getrusage would count its parent's before exec."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def read(output: str) -> Took:
    """Return what a contender told."""
    line = next(line for line in output.splitlines() if line.startswith(MARK))
    return Took(**json.loads(line.removeprefix(MARK)))


def interleaved(ways: dict[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Measure each way once a round, so that a busy minute of the machine meets all of them."""
    found: dict[str, list[T]] = {name: [] for name in ways}
    plan = [name for _ in range(rounds) for name in ways]
    for name in track(plan, description="measuring", console=Console(stderr=True)):
        found[name].append(ways[name]())
    return found


def told(values: Sequence[float], form: str = ",.0f") -> str:
    """Write the median, and the least and most."""
    spread = f" ({min(values):{form}} to {max(values):{form}})" if len(values) > 1 else ""
    return f"{median(values):{form}}{spread}"


def ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios of the same rounds."""
    return median(one / other for one, other in zip(values, others, strict=True))
