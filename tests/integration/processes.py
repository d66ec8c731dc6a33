"""The projections service as a process of its own: killed, stopped, put to sleep, asked how it is."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from projections.read_models.table import READ_MODELS
from tests.support.ports import HOST, free_port
from tests.support.waiting import PATIENCE


class Service:
    """`python -m projections.main` with an operations port.

    Args:
        log: file that its log is added to; None: this process's own.
        module: run in its place, with `arguments`: a launcher that prepares a fault.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        log: Path | None = None,
        module: str = "projections.main",
        *arguments: str,
    ) -> None:
        self.port = free_port()
        self.environment = os.environ | dict(environment) | {"FORETICK_OPS_PORT": str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None
        self._log = log
        self._command = (sys.executable, "-m", module, *arguments)

    def start(self) -> None:
        log = self._log.open("ab") if self._log else None
        self.process = subprocess.Popen(self._command, env=self.environment, stderr=log)
        if log:
            log.close()

    def kill(self) -> None:
        """End it by kill -9, if it runs."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """End it by SIGTERM; return its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE * 30)

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log and self._log.exists() else ""

    def get(self, path: str) -> httpx.Response | None:
        try:
            return httpx.get(f"http://{HOST}:{self.port}{path}", timeout=5)
        except httpx.TransportError:
            return None

    def reasons(self) -> list[str]:
        """Return why it is not ready; empty when it is, or does not answer."""
        answer = self.get("/health/ready")
        return answer.json()["reasons"] if answer else []

    def lag(self) -> int | None:
        """Return how far behind it is; None before every partition is its own."""
        answer = self.get("/status")
        models = answer.json()["read_models"] if answer else []
        wanted = {model.name: sum(topic.partitions for topic in model.topics) for model in READ_MODELS}
        if {model["name"]: len(model["partitions"]) for model in models} != wanted:
            return None
        return sum(model["lag"] for model in models)
