"""Break servers: kill them, take them away, and wait until they are back."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from stack.layout import Layout
from stack.service import Service
from stack.services import services
from stack.supervisor import Supervisor
from tests.waiting import until

NAMES = ("kafka", "registry", "mongodb")


class Servers:
    """The servers of a stack of one's own.  Whatever ends without leave, its supervisor starts again."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._supervisor = Supervisor(layout)
        self._services: dict[str, Service] = {each.name: each for each in services(layout) if each.name in NAMES}

    def pid(self, name: str) -> int:
        """Return a server's process id; 0 where it does not run."""
        return self._supervisor.states()[name].pid

    def kill(self, name: str) -> None:
        """Kill -9 a server, once it runs."""
        os.kill(until(lambda: self.pid(name), f"{name} runs"), signal.SIGKILL)

    def await_all(self) -> None:
        """Wait until every server answers."""
        for name, each in self._services.items():
            until(lambda each=each: self.pid(each.name) and each.answers(), f"{name} answers", 60, 0.2)

    @contextmanager
    def away(self, name: str) -> Iterator[None]:
        """Keep a server away while a `with` block runs."""
        self._supervisor.stop(self._services[name])
        try:
            yield
        finally:
            self._supervisor.start(self._services[name])
            self.await_all()

    @contextmanager
    def standing_still(self, name: str) -> Iterator[None]:
        """Let a server answer nothing while a `with` block runs, its connections open."""
        pid = until(lambda: self.pid(name), f"{name} runs")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)
            self.await_all()
