"""A replay exchange and a producers service as processes of their own, and what they wrote."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from contracts.events import BarClosed, CorporateActionAnnounced
from contracts.topics import CORPORATE_ACTIONS, STOCK_DATA
from producers.exchange.api import COMMAND
from streaming.reader import read_all
from streaming.records import Record
from streaming.settings import StreamSettings
from tests.support.ports import HOST, free_port
from tests.support.waiting import PATIENCE, until


class Process:
    """A module run as a process, its log in a file, its operations routes on a port."""

    def __init__(self, module: str, folder: Path, port: int, environment: dict[str, str]) -> None:
        self.url = f"http://{HOST}:{port}"
        self.log = folder / f"{module}.log"
        self._module = module
        self._environment = os.environ | environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = (sys.executable, "-m", self._module)
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        until(lambda: self.answers("/health/live"), f"{self._module} answered; its log: {self.log}")

    def answers(self, path: str) -> bool:
        try:
            return httpx.get(self.url + path, timeout=5).is_success
        except httpx.HTTPError:
            assert self.running(), self.log.read_text()
            return False

    def get(self, path: str) -> Any:
        return httpx.get(self.url + path, timeout=20).raise_for_status().json()

    def put(self, path: str, **body: Any) -> Any:
        return httpx.put(self.url + path, json=body, headers=COMMAND, timeout=20).raise_for_status().json()

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send(self, number: int) -> None:
        """Signal the process."""
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal the process and return its exit code."""
        if self._process is None:
            return 0
        if self.running():
            self._process.send_signal(number)
        return self._process.wait(PATIENCE * 30)


class Market:
    """A replay exchange whose history begins in March 2000, and the producers that read it.

    Args:
        live_from: the first session that is not yet visible at the start.
    """

    def __init__(self, folder: Path, symbols: str, live_from: str = "2000-04-03", **settings: str) -> None:
        port, ops = free_port(), free_port()
        self.environment = {
            "FORETICK_HOME": str(folder),
            "FORETICK_EXCHANGE_PORT": str(port),
            "FORETICK_EXCHANGE_FAULTS": "true",
            "FORETICK_EXCHANGE_LIVE_FROM": live_from,
            "FORETICK_YAHOO_URL": f"http://{HOST}:{port}",
            "FORETICK_CLOCK_URL": f"http://{HOST}:{port}/clock",
            "FORETICK_SYMBOLS": symbols,
            "FORETICK_POLL_SECONDS": "0.1",
            "FORETICK_OPS_PORT": str(ops),
            **settings,
        }
        self.exchange = Process("producers.exchange.api", folder, port, self.environment)
        self.producers = Process("producers.main", folder, ops, self.environment)

    def __enter__(self) -> "Market":
        self.exchange.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.producers.end(signal.SIGKILL)
        self.exchange.end(signal.SIGKILL)

    def clock(self, **change: Any) -> dict[str, Any]:
        told: dict[str, Any] = self.exchange.put("/clock", **change)
        return told

    def visible(self, symbol: str) -> int:
        """Return how many sessions of a share have closed."""
        [listed] = [each for each in self.exchange.get("/symbols") if each["symbol"] == symbol]
        count: int = listed["visible"]
        return count

    def symbol(self, symbol: str) -> dict[str, Any]:
        """Return what the producers tell of a symbol."""
        [told] = [each for each in self.producers.get("/status")["symbols"] if each["symbol"] == symbol]
        found: dict[str, Any] = told
        return found


def bar_records() -> list[Record]:
    return list(read_all(StreamSettings(), STOCK_DATA))


def bars(symbol: str | None = None) -> list[BarClosed]:
    """Return the bars in the topic, as they came."""
    events = [record.event for record in bar_records()]
    return [event for event in events if isinstance(event, BarClosed) and symbol in (None, event.symbol)]


def actions() -> list[CorporateActionAnnounced]:
    events = [record.event for record in read_all(StreamSettings(), CORPORATE_ACTIONS)]
    return [event for event in events if isinstance(event, CorporateActionAnnounced)]
