"""Find and end processes of a stack that nobody supervises any more, by the mark in their environment."""

import os

import psutil

from stack.layout import MARK

NAME = "FORETICK_SERVICE"


def marked(home: str, service: str | None = None) -> list[psutil.Process]:
    """Return the processes that were started for a home (and service), except this one and its ancestors."""
    spared = {os.getpid(), *_ancestors()}
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ() if process.pid not in spared else {}
        except psutil.Error:  # gone meanwhile, or another user's
            continue
        if environment.get(MARK) == home and (service is None or environment.get(NAME) == service):
            found.append(process)
    return found


def _ancestors() -> list[int]:
    try:
        return [parent.pid for parent in psutil.Process().parents()]
    except psutil.NoSuchProcess:  # one ended between two looks: whoever takes its child in has been there for long
        return _ancestors()


def end_orphans(home: str, rounds: int = 5) -> bool:
    """End all processes of a home, those too that they start meanwhile; tell whether there was any."""
    found = False
    for _ in range(rounds):
        if not (left := marked(home)):
            break
        found = True
        end_processes(left)
    return found


def end_processes(processes: list[psutil.Process], patience: float = 10.0) -> None:
    """Ask processes to stop, and kill those that do not."""
    for process in processes:
        _signal(process.terminate)
    _, alive = psutil.wait_procs(processes, timeout=patience)
    for process in alive:
        _signal(process.kill)
    psutil.wait_procs(alive, timeout=patience)


def _signal(send: object) -> None:
    try:
        send()  # type: ignore[operator]
    except psutil.NoSuchProcess:
        return
