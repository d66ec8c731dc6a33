"""Tell what runs, where, and how far it is."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.commands.readmodels import print_read_models
from stack.layout import Layout
from stack.services import airflow
from stack.services.health import PROMPT
from stack.services.http import status_of
from stack.services.logs import last_error
from stack.services.service import Service
from stack.services.supervisor import State, Supervisor
from stack.services.table import services

_REFUSALS = 5  # shown of each symbol
_PATIENCE = 10.0  # seconds for an answer: what takes longer stands still
_ANSWERS, _SLOW, _SILENT, _STILL = "answers", "answers slowly", "does not answer yet", "does not answer: stands still"
_COLOURS = {_ANSWERS: "green", _SLOW: "yellow", _SILENT: "yellow"}


def print_status(layout: Layout, console: Console, *, partitions: bool = False) -> int:
    """Print the services and the pipeline; return 0 if everything that should run answers.

    Args:
        partitions: print the read models partition by partition.
    """
    supervisor = Supervisor(layout)
    if not supervisor.alive():
        console.print(f"Nothing is running from {layout.home}. Start it: foretick up")
        return 1
    states = supervisor.states()
    running = [service for service in services(layout) if service.name in states]
    healthy = print_services(layout, running, states, console)
    if "projections" in states:
        print_read_models(status_of(layout.url("projections", "/status")), console, partitions=partitions)
    if "exchange" in states:
        print_clock(status_of(layout.url("exchange", "/clock")), console)
    if "producers" in states:
        print_sources(status_of(layout.url("producers", "/status")), console)
    return 0 if healthy else 1


def print_services(layout: Layout, running: list[Service], states: dict[str, State], console: Console) -> bool:
    """Print one row a service; tell whether all of them answer."""
    answers = ask_services(running)
    table = Table(title=f"Foretick, running from {layout.home} (logs are there, too)", title_justify="left")
    for column in ("service", "state", "URL", "pid", "MB", "log"):
        numeric = column in ("pid", "MB")
        table.add_column(column, justify="right" if numeric else "left", no_wrap=column in ("service", "state"))
    total = 0.0
    for service, answer in zip(running, answers, strict=True):
        state = states[service.name]
        megabytes = memory_megabytes(state.pid)
        total += megabytes
        log = str(layout.log(service.name).relative_to(layout.home))
        pid = str(state.pid or "")
        said = describe_state(state, *answer)
        table.add_row(service.name, Text(said, _COLOURS.get(said, "red")), service.url, pid, f"{megabytes:.0f}", log)
    table.add_section()
    table.add_row("together", "", "", "", f"{total:.0f}", "")
    console.print(table)
    for service, (answered, _) in zip(running, answers, strict=True):
        if not answered and (error := last_error(layout.log(service.name))):
            console.print(f"{service.name}: {error}", style="red", markup=False, soft_wrap=True)
    if any(service.group == "airflow" for service in running):
        console.print(whom_airflow_asks(layout), style="dim", soft_wrap=True)
    return all(answered for answered, _ in answers)


def whom_airflow_asks(layout: Layout) -> str:
    """Say how to sign in to Airflow."""
    return (
        f"Airflow asks who you are: user {airflow.AIRFLOW_USER}, its password is in {airflow.airflow_passwords(layout)}"
    )


def memory_megabytes(pid: int) -> float:
    """Return the megabytes a process and its children use, pages they share counted once."""
    if not pid:
        return 0.0
    try:
        parent = psutil.Process(pid)
        processes = [parent, *parent.children(recursive=True)]
    except psutil.Error:  # it ended between two looks
        return 0.0
    return sum(map(_own_memory, processes))


def _own_memory(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss / 1e6)
    except psutil.Error:
        return 0.0


def ask_services(running: list[Service]) -> list[tuple[bool, float]]:
    """Ask all services at once; tell of each whether it answers, and after how many seconds it did or was given up."""

    def ask(service: Service) -> tuple[bool, float]:
        began = time.monotonic()
        return service.answers(_PATIENCE), time.monotonic() - began

    with ThreadPoolExecutor(max_workers=len(running) or 1) as pool:
        return list(pool.map(ask, running))


def describe_state(state: State, answers: bool, seconds: float) -> str:
    """Say in words how a service is: one that is away refuses at once, one that stands still takes all the time."""
    if state.state not in ("RUNNING", "STARTING"):
        return state.state.lower()
    if answers:
        return _ANSWERS if seconds <= PROMPT else _SLOW
    return _SILENT if seconds < _PATIENCE else _STILL


def print_clock(found: dict[str, Any] | None, console: Console) -> None:
    """Print where the simulated market is, and how far it goes."""
    if found is None:
        console.print("The replay exchange does not answer: nothing is known of its clock.", style="yellow")
    elif found["finished"]:
        console.print("The replay has come to the end of its history; `foretick up --fresh` begins again.")
    else:
        pace = f"a session every {found['seconds_per_session']:g} s" if found["running"] else "held"
        console.print(f"The replay is at {found['session']}, {pace}; {found['sessions_left']} sessions are left.")


def print_sources(found: dict[str, Any] | None, console: Console) -> None:
    """Print what the market-data vendor last answered."""
    if found is None:
        console.print("The producers do not answer: nothing is known of the vendor.", style="yellow")
        return
    table = Table(title=f"Market data from {found['source']}, every {found['period_seconds']} s", title_justify="left")
    for column in ("symbol", "last bar", "published", "revised", "actions", "refused", "errors", "vendor's last error"):
        numeric = column in ("published", "revised", "actions", "refused", "errors")
        table.add_column(column, justify="right" if numeric else "left")
    for symbol in found["symbols"]:
        counts = (str(symbol[name]) for name in ("published", "revised", "actions", "refused", "errors"))
        problem = f"{symbol['last_error_at']}: {symbol['error']}" if symbol["error"] else ""
        table.add_row(symbol["symbol"], symbol["last_bar"] or "", *counts, problem)
    console.print(table)
    for symbol in found["symbols"]:
        for refusal in symbol["refusals"][-_REFUSALS:]:
            console.print(f"refused: {symbol['symbol']} at {refusal['at']}: {refusal['reason']}")
        if (more := symbol["refused"] - min(_REFUSALS, len(symbol["refusals"]))) > 0:
            console.print(f"... and {more} more of {symbol['symbol']}; `foretick ingest --dry-run` lists them")
    if found["waiting_for"]:
        console.print(f"The producers wait for {found['waiting_for']}", style="yellow")
