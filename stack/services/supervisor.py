"""Run the services under supervisord: its configuration, and its XML-RPC interface."""

import http.client
import json
import os
import shlex
import stat
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.layout import MARK, YOURS, Layout
from stack.services.secrecy import withheld
from stack.services.service import DidNotStart, Service
from stack.settings import from_file

GROUPS = ("servers", "airflow", "services")  # started from the left, stopped from the right
PYTHON, PROJECT = "FORETICK_PYTHON", "FORETICK_PROJECT"  # told to supervisord by its environment
_RETRIES = 1_000_000  # supervisord's back-off grows by a second each time; a service is never given up


@dataclass(frozen=True, slots=True)
class State:
    """Say what supervisord knows of a process."""

    name: str
    state: str  # STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL
    pid: int


def configuration(layout: Layout, services: Sequence[Service]) -> str:
    """Return supervisord.conf for these services.

    No path stands in it that a user has named: its format has no quotes, and takes %, ; and # for something else. What
    is not relative to the home comes from the environment, and the services' own commands from `commands`.
    """
    apart = layout.socket.parent != layout.run
    sections = [
        _section(
            "unix_http_server", {"file": layout.socket if apart else f"run/{layout.socket.name}", "chmod": "0700"}
        ),
        _section(
            "supervisord",
            {
                "nodaemon": "true",
                "logfile": "logs/supervisord.log",
                "logfile_maxbytes": "5MB",
                "logfile_backups": 1,
                "pidfile": "run/supervisord.pid",
                "silent": "true",
                "umask": "077",
            },
        ),
        _section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
    ]
    for rank, group in enumerate(GROUPS):
        members = [service for service in services if service.group == group]
        if members:
            names = ",".join(service.name for service in members)
            sections.append(_section(f"group:{group}", {"programs": names, "priority": 100 * (rank + 1)}))
            sections.extend(_program(service) for service in members)
    return "\n".join(sections)


def commands(services: Sequence[Service]) -> str:
    """Return what `stack.run.launch` becomes for each service, as JSON."""
    table = {
        service.name: {
            "command": service.command,
            "environment": dict(service.environment),
            "withheld": withheld(service.name),
            "folder": str(service.folder or ""),
        }
        for service in services
    }
    return json.dumps(table, indent=1)


def _program(service: Service) -> str:
    return _section(
        f"program:{service.name}",
        {
            "command": f"%(ENV_{PYTHON})s -m stack.run.launch {service.name}",
            "directory": f"%(ENV_{PROJECT})s",
            "autostart": "false",
            "autorestart": "true",
            "startsecs": 5,
            "startretries": _RETRIES,
            "exitcodes": "0,143",  # a JVM ended by SIGTERM exits 143
            "stopwaitsecs": service.stop_seconds,
            "stopasgroup": "true",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": f"logs/{service.name}.log",
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": 3,
        },
    )


def _section(name: str, values: dict[str, object]) -> str:
    lines = (f"{key}={value}" for key, value in values.items())
    return f"[{name}]\n" + "\n".join(lines) + "\n"


def is_ours(folder: Path) -> bool:
    """Tell whether a folder is this user's, and no link to somewhere else."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


class SupervisorGone(Exception):
    """There is no supervisord, or it is about to end."""


class Supervisor:
    """Talk to the supervisord of one home."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def alive(self) -> bool:
        """Tell whether a supervisord answers."""
        try:
            return bool(self._call("getState")["statename"])
        except SupervisorGone:
            return False

    def leaving(self) -> bool:
        """Tell whether a supervisord is about to end."""
        try:
            return bool(self._call("getState")["statename"] == "SHUTDOWN")
        except SupervisorGone:
            return False

    def boot(self, services: Sequence[Service]) -> "subprocess.Popen[bytes]":
        """Write the configuration and start supervisord, in a session of its own: Ctrl-C must not reach the servers."""
        layout = self._layout
        for path, text in (
            (layout.run / "supervisord.conf", configuration(layout, services)),
            (layout.commands, commands(services)),  # with Airflow's secrets
        ):
            path.touch(mode=0o600)
            path.write_text(text)
        told = from_file(layout.project) | os.environ
        yours = {name: told[name] for name in YOURS if name in told}
        marked = {MARK: str(layout.home), PYTHON: shlex.quote(sys.executable), PROJECT: str(layout.project)}
        marked |= {"PYTHONUNBUFFERED": "1"}
        environment = told | layout.environment() | yours | marked
        process = subprocess.Popen(
            (sys.executable, "-m", "supervisor.supervisord", "-c", "run/supervisord.conf"),
            env=environment,
            cwd=layout.home,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(layout.logs / "supervisord.stderr").open("wb"),
        )
        deadline = time.monotonic() + 20
        while not self.alive():
            if process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart(f"supervisord did not start: see {layout.log('supervisord')} and supervisord.stderr")
            time.sleep(0.05)
        return process

    def start(self, service: Service) -> None:
        """Start a service and do not wait for it."""
        self._call("startProcess", f"{service.group}:{service.name}", False)

    def stop(self, service: Service) -> None:
        """Stop a service and wait for its end."""
        self._call("stopProcess", f"{service.group}:{service.name}", True)

    def states(self) -> dict[str, State]:
        """Return every process by name."""
        processes: list[dict[str, object]] = self._call("getAllProcessInfo")
        found = (State(str(p["name"]), str(p["statename"]), int(str(p["pid"]))) for p in processes)
        return {state.name: state for state in found}

    def pid(self) -> int:
        """Return supervisord's own process id."""
        return int(self._call("getPID"))

    def shutdown(self) -> None:
        """Stop every service, group by group, and then supervisord."""
        self._call("shutdown")

    def _call(self, method: str, *arguments: object) -> Any:
        from supervisor.xmlrpc import Faults, SupervisorTransport

        folder = self._layout.socket.parent
        if folder.exists() and not is_ours(folder):
            raise SupervisorGone(f"{folder} is another user's: nobody there is told anything")
        transport = SupervisorTransport(None, None, f"unix://{self._layout.socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, http.client.HTTPException) as error:
            raise SupervisorGone(f"no supervisord answers at {self._layout.socket}") from error
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == Faults.SHUTDOWN_STATE:
                raise SupervisorGone("supervisord is shutting down") from fault
            raise
