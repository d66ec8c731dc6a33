"""Start services in dependency order, in parallel where they do not need one another."""

import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from rich.console import Console

from stack.layout import Layout
from stack.services.logs import last_lines
from stack.services.service import DidNotStart, Service
from stack.services.supervisor import Supervisor
from stack.terminal import DONE

_PERIOD = 0.2
_LIVES = 5  # a service that ended so often before it ever answered will not answer
_LINES = 15  # of the log of what did not start


def start_services(layout: Layout, supervisor: Supervisor, services: Sequence[Service], console: Console) -> None:
    """Start each service once those it needs answer, and return when all answer. Raises DidNotStart."""
    with ThreadPoolExecutor(max_workers=len(services) or 1) as pool, console.status("") as status:
        wave = _Wave(layout, supervisor, services, pool)
        while not wave.over():
            for service, seconds in wave.step():
                console.print(" ", DONE, f"{service.name:<22} {seconds:5.1f} s   {service.url}")
            status.update("starting " + ", ".join(wave.pending()))
            time.sleep(_PERIOD)


class _Wave:
    def __init__(
        self, layout: Layout, supervisor: Supervisor, services: Sequence[Service], pool: ThreadPoolExecutor
    ) -> None:
        self._layout, self._supervisor, self._pool = layout, supervisor, pool
        self._waiting = {service.name: service for service in services}
        self._began: dict[str, float] = {}
        self._prepared: dict[str, Future[None]] = {}
        self._asked: dict[str, Future[bool]] = {}
        self._pids: dict[str, set[int]] = defaultdict(set)

    def over(self) -> bool:
        return not self._waiting

    def pending(self) -> list[str]:
        return sorted(self._waiting)

    def step(self) -> list[tuple[Service, float]]:
        """Move every service one step on; return those that just became ready, with the seconds they took."""
        ready = []
        for state in self._supervisor.states().values():
            self._pids[state.name] |= {state.pid} - {0}
        for service in list(self._waiting.values()):
            if service.name in self._began:
                if self._answers(service):
                    del self._waiting[service.name]
                    ready.append((service, time.monotonic() - self._began[service.name]))
            elif not any(need in self._waiting for need in service.needs):
                self._began[service.name] = time.monotonic()
                self._prepared[service.name] = self._pool.submit(self._launch, service)
        return ready

    def _launch(self, service: Service) -> None:
        service.prepare()
        self._supervisor.start(service)

    def _answers(self, service: Service) -> bool:
        prepared = self._prepared[service.name]
        if not prepared.done():
            return False
        prepared.result()
        if time.monotonic() - self._began[service.name] > service.patience:
            raise self._failure(service, f"did not answer within {service.patience:.0f} s")
        if len(self._pids[service.name]) > _LIVES:
            raise self._failure(service, f"was started {_LIVES} times and ended each time")
        asked = self._asked.pop(service.name, None)
        if asked is None:
            self._asked[service.name] = self._pool.submit(service.answers)
            return False
        if not asked.done():
            self._asked[service.name] = asked
            return False
        return asked.result()

    def _failure(self, service: Service, what: str) -> DidNotStart:
        log = self._layout.log(service.name)
        end = "\n".join(last_lines(log, _LINES)) or "(there is none)"
        remedy = f"\n{service.remedy}" if service.remedy else ""
        return DidNotStart(f"{service.name} {what}. The end of its log, {log}:\n{end}{remedy}")
