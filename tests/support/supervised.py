"""Processes of a stack: between two looks one may end, and its supervisor start another."""

import psutil

from stack.services.supervisor import Supervisor
from tests.support.waiting import until


def running(supervisor: Supervisor, name: str) -> psutil.Process:
    """Return the process of a service, once it runs."""

    def found() -> psutil.Process | None:
        pid = supervisor.states()[name].pid  # 0 while there is none: a signal to that goes to whoever sends it
        try:
            return psutil.Process(pid) if pid else None
        except psutil.NoSuchProcess:
            return None

    process: psutil.Process = until(found, f"{name} runs")
    return process


def kill(supervisor: Supervisor, name: str) -> psutil.Process:
    """Kill -9 a service, once it runs, and wait for its end; return the process that it was."""

    def killed() -> psutil.Process | None:
        process = running(supervisor, name)
        try:
            process.kill()
        except psutil.NoSuchProcess:
            return None
        return process

    process: psutil.Process = until(killed, f"{name} is killed")
    until(lambda: ended(process), f"{name} is dead")
    return process


def ended(process: psutil.Process) -> bool:
    """Tell whether a process has ended; one that its parent has not asked about yet has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
