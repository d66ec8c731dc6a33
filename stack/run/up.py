"""Bring the stack up, keep it up, and take it down."""

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import psutil
from rich.console import Console

from stack.commands.status import print_services
from stack.commands.status import print_status as show
from stack.layout import Layout
from stack.run import first_run, orphans, preflight
from stack.run.airflow_api import WorkflowFailed
from stack.run.home import admit_home
from stack.run.lock import Lock, at_work, make_folders
from stack.run.starting import start_services
from stack.services import web_build
from stack.services.artifacts import obtain
from stack.services.service import DidNotStart, Service
from stack.services.supervisor import Supervisor, SupervisorGone
from stack.services.table import services
from stack.services.topics_and_schemas import prepare_log

_STOP_PATIENCE = 90.0
_OTHERS_PATIENCE = 20.0  # for another `up` that is about to end, or to have its supervisord


@dataclass(frozen=True, slots=True)
class UpOptions:
    """Say what of the stack is wanted."""

    names: frozenset[str]
    detach: bool = False
    train: bool = True
    fresh: bool = False


def up(layout: Layout, options: UpOptions, console: Console) -> int:
    """Start what is wished and, unless detached, stay until Ctrl-C or SIGTERM. Return the exit code.

    Raises:
        NotStartable: the machine is not, or another `foretick up` is at work on this home.
    """
    supervisor = Supervisor(layout)
    make_folders(layout)
    with Lock(layout.run / "up.lock") as lock:
        deadline = time.monotonic() + _OTHERS_PATIENCE
        while True:
            if supervisor.leaving():
                _await_leaving(supervisor)
            ours = lock.taken()
            if supervisor.alive():
                return _runs_already(layout, supervisor, options, console)
            if ours:
                return _bring_up(layout, supervisor, options, console)
            if time.monotonic() > deadline:
                raise preflight.NotStartable(at_work(layout, lock))
            time.sleep(0.2)


def _runs_already(layout: Layout, supervisor: Supervisor, options: UpOptions, console: Console) -> int:
    with suppress(SupervisorGone):
        console.print(f"Foretick is already running from {layout.home} (supervisord is process {supervisor.pid()}).")
    show(layout, console)
    console.print("`foretick down` stops it.")
    return 2 if options.fresh else 0


def _bring_up(layout: Layout, supervisor: Supervisor, options: UpOptions, console: Console) -> int:
    began = time.monotonic()
    orphans.end_orphans(str(layout.home))  # what an unclean end left holds ports and data folders
    wanted = [service for service in services(layout) if service.name in options.names]
    names = {service.name for service in wanted}
    admit_home(layout)
    preflight.check_before_start(layout, wanted)
    if options.fresh:
        _forget(layout, console)
    if names & {"kafka", "registry"}:
        obtain(layout.cache)
    if "gateway" in names:
        web_build.build_web(layout, console)
    stop, stays = hear_stops(), False
    try:
        process = supervisor.boot(wanted)
        code = _travel(layout, supervisor, wanted, options.train, console, began)
        _announce(layout, supervisor, wanted, time.monotonic() - began, console)
        stays = options.detach
        return code if stays else _watch(process, stop, console)
    except SupervisorGone:
        return _ended(process, console)
    finally:
        if not stays:  # whatever ended it, and whenever it came: nothing is left behind
            down(layout, console)
            console.print("Stopped.")


def _forget(layout: Layout, console: Console) -> None:
    """Remove the log and all that came of it; the logs of services and the secrets stay."""
    for folder in layout.state():
        if folder.exists():
            console.print(f"  forgetting {folder}")
            shutil.rmtree(folder)
    layout.data.mkdir(mode=0o700)


def down(layout: Layout, console: Console) -> bool:
    """Stop everything of this home, supervised or orphaned; tell whether there was anything."""
    supervisor = Supervisor(layout)
    running = supervisor.alive()
    if running:
        with console.status("stopping"):
            _shut_down(supervisor)
    found = orphans.end_orphans(str(layout.home)) or running
    apart = layout.socket.parent  # under /tmp, if it is not the run folder
    if apart != layout.run:
        with suppress(OSError):  # another socket is in it, or another `down` was faster
            apart.rmdir()
    return found


def _shut_down(supervisor: Supervisor) -> None:
    """Let supervisord stop all it started, and wait for its end."""
    try:
        pid = supervisor.pid()
        supervisor.shutdown()
    except SupervisorGone:  # somebody else stops it already
        _await_leaving(supervisor)
        return
    deadline = time.monotonic() + _STOP_PATIENCE
    while _exists(pid) and time.monotonic() < deadline:
        time.sleep(0.1)


def _await_leaving(supervisor: Supervisor) -> None:
    deadline = time.monotonic() + _STOP_PATIENCE
    while supervisor.leaving() and time.monotonic() < deadline:
        time.sleep(0.1)


def _travel(
    layout: Layout, supervisor: Supervisor, wanted: list[Service], train: bool, console: Console, began: float
) -> int:
    """Go from supervisord alone to forecasts on the screen, as far as what is wanted allows.

    Airflow comes last: it takes the processors for longer than all else, and the market needs no workflow to be looked
    at. The random walk forecasts from its first bar on; the trained families join when Airflow has them.
    """
    from stack.run.backfill import (
        await_backfill,
    )  # imports Kafka's client, which `foretick down` and a stack of servers do without

    names = {service.name for service in wanted}
    start_services(layout, supervisor, [service for service in wanted if service.group != "airflow"], console)
    ready = not {"kafka", "registry"} <= names or _has_log(layout, console)
    done = not {"producers", "kafka", "registry"} <= names or _succeeds(await_backfill, layout, console)
    train = train and done and {"producers", "mlflow", "forecasting"} <= names
    known = first_run.aliases_at_work(layout) if train else set()
    if train and not known:
        done = _succeeds(first_run.train_random_walk, layout, console)
    if train and done:
        done = _succeeds(first_run.await_forecasting, layout, console)
    _open(layout, names, began, console)
    start_services(layout, supervisor, [service for service in wanted if service.group == "airflow"], console)
    if train and known <= {first_run.FIRST_FAMILY, "champion"}:
        taught = _succeeds(partial(_teach, by_airflow="airflow-scheduler" in names), layout, console)
        done = done and taught
    return 0 if done and ready else 1


def _has_log(layout: Layout, console: Console) -> bool:
    """Make topics and schemas where only servers run; what is wrong is told, and they stay up to have it mended."""
    try:
        prepare_log(layout)
    except DidNotStart as reason:
        console.print(str(reason), style="red")
        return False
    return True


def _succeeds(step: Callable[[Layout, Console], None], layout: Layout, console: Console) -> bool:
    """Take a step; one that fails is told, and all else runs on: the screen says what is missing."""
    try:
        step(layout, console)
    except WorkflowFailed as failure:
        console.print(str(failure), style="red")
        return False
    return True


def _teach(layout: Layout, console: Console, *, by_airflow: bool) -> None:
    """Train the first models, and wait until they serve."""
    if by_airflow:
        first_run.train_by_airflow(layout, console)
        first_run.schedule_workflows(layout)  # once: later, who pauses one means it
    else:
        first_run.train_directly(layout, console)
    first_run.await_forecasting(layout, console)


def _open(layout: Layout, names: set[str], began: float, console: Console) -> None:
    """Let the simulated market run, and say where to look at it."""
    if "exchange" in names:
        first_run.start_clock(layout)
    if "gateway" in names:
        seconds = time.monotonic() - began
        console.print(f"  The market is open after {seconds:.0f} s: {layout.url('gateway')}")


def _announce(layout: Layout, supervisor: Supervisor, running: list[Service], seconds: float, console: Console) -> None:
    print_services(layout, running, supervisor.states(), console)
    where = f"   Look at {layout.url('gateway')}" if any(each.name == "gateway" for each in running) else ""
    console.print(f"Up after {seconds:.0f} s.{where}")


def _exists(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _watch(process: "subprocess.Popen[bytes]", stop: threading.Event, console: Console) -> int:
    console.print("Ctrl-C stops everything.")
    try:
        while not stop.wait(0.5):
            if process.poll() is not None:
                return _ended(process, console)
    except KeyboardInterrupt:
        return 0
    return 0


def _ended(process: "subprocess.Popen[bytes]", console: Console) -> int:
    """Say why supervisord is no more, and return the exit code."""
    if process.wait(_STOP_PATIENCE) == 0:
        console.print("`foretick down` was called.")
        return 0
    console.print("supervisord was killed: stopping what it left behind.", style="red")
    return 1


class ToldToStop(KeyboardInterrupt):
    """Ctrl-C or SIGTERM.

    A class of its own: where the bare KeyboardInterrupt interrupts an `exec`, as an import of dataclasses has them,
    CPython ends the process by SIGINT in the end, whoever has caught it meanwhile.
    """


def hear_stops() -> threading.Event:
    """Return an event that Ctrl-C and SIGTERM set; a signal during start-up interrupts it."""
    stop = threading.Event()

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            return  # the second Ctrl-C of an impatient user must not leave half a stack behind
        stop.set()
        raise ToldToStop

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stop
