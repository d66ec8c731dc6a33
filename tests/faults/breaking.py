"""Break servers: kill them, take them away, and wait until they are back."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from rich.console import Console

from stack.layout import Layout
from stack.run.starting import start_services
from stack.services.service import DidNotStart, Service
from stack.services.supervisor import Supervisor
from stack.services.table import services
from tests.support.supervised import kill, running
from tests.support.waiting import until

NAMES = ("kafka", "registry", "mongodb")


class Servers:
    """The servers of a stack of one's own.  Whatever ends without leave, its supervisor starts again."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._supervisor = Supervisor(layout)
        self._services: dict[str, Service] = {each.name: each for each in services(layout) if each.name in NAMES}

    def process(self, name: str) -> psutil.Process:
        """Return the process of a server, once it runs."""
        return running(self._supervisor, name)

    def kill(self, name: str) -> None:
        """Kill -9 a server, once it runs."""
        kill(self._supervisor, name)

    def await_all(self) -> None:
        """Wait until every server answers."""
        for name, each in self._services.items():
            self.process(name)
            until(each.answers, f"{name} answers", 60, 0.2)

    @contextmanager
    def away(self, name: str) -> Iterator[None]:
        """Keep a server away while a `with` block runs."""
        self._supervisor.stop(self._services[name])
        try:
            yield
        finally:
            self._supervisor.start(self._services[name])
            self.await_all()

    def begin(self, name: str) -> None:
        """Start a server that is away, as `foretick up` does. Raises DidNotStart, and then it is away still."""
        try:
            start_services(self.layout, self._supervisor, [self._services[name]], Console(quiet=True))
        except DidNotStart:
            self._supervisor.stop(self._services[name])
            raise

    @contextmanager
    def standing_still(self, name: str) -> Iterator[None]:
        """Let a server answer nothing while a `with` block runs, its connections open."""
        process = self.process(name)
        process.suspend()
        try:
            yield
        finally:
            process.resume()
            self.await_all()
