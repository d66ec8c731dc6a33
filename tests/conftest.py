"""Fixtures every kind of test shares: a stack of real servers, and a corner of it for one test."""

import fcntl
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from stack.layout import PORTS, Layout
from stack.run.preflight import free
from stack.services.logs import last_lines
from stack.settings import StackSettings
from tests.support.disks import mounted
from tests.support.stacks import Stack

# Clear of the kernel's range for outgoing connections (32768 up), even for MongoDB's 27017.  Two stacks whose offsets
# differ by 80, 1080 or 3080 share a port; those that two workers pick at the same time never do.
_FIRST_OFFSET, _OFFSETS_END, _STRIDE = 100, 5700, 200
_RUN = "FORETICK_TEST_RUN"  # the folder that the processes of one test run share
SERVERS = ("kafka", "registry", "mongodb")
QUICKLY = {
    **{name: {"epochs": 4, "most_windows": 6000} for name in ("lstm", "transformer")},
    "ensemble": {"members": ["naive", "lstm"]},
}


@dataclass(frozen=True, slots=True)
class Isolated:
    """A corner of the shared servers that belongs to one test alone."""

    environment: dict[str, str]
    topic_prefix: str
    database: str


# What guards a commit tries the same examples everywhere; `--hypothesis-profile explore` looks for new ones.
hypothesis_settings.register_profile("guard", deadline=None, derandomize=True, database=None)
hypothesis_settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis_settings.load_profile("guard")

# What a shell may say to tests; any other FORETICK_* is about its own stack, and would change what is tested.
_HEARD = (
    "FORETICK_TEST_",
    "FORETICK_FAULT_",
    "FORETICK_INTERLEAVINGS",
    "FORETICK_REQUIRE_CHROMIUM",
    "FORETICK_PICTURES",
    "FORETICK_CACHE",
)


def pytest_configure(config: pytest.Config) -> None:
    """Forget the settings of the shell's own stack; let this process's workers, if it has any, share a folder."""
    for name in [name for name in os.environ if name.startswith("FORETICK_") and not name.startswith(_HEARD)]:
        del os.environ[name]
    if not hasattr(config, "workerinput"):
        os.environ[_RUN] = tempfile.mkdtemp(prefix="foretick-run-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop and remove the shared servers, after the last worker has ended."""
    if hasattr(config, "workerinput"):
        return
    run = Path(os.environ.pop(_RUN))
    if (run / "offset").exists():
        _remove(_layout(run / "servers", int((run / "offset").read_text())))
    shutil.rmtree(run)


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Layout]:
    """Start Kafka, the registry and MongoDB on ports of their own, once for all workers; removed at the end.

    MLflow comes with them where a test of this run is marked `mlflow`.

    FORETICK_TEST_SERVERS=OFFSET:HOME uses a stack that runs already, for quick development.
    """
    if given := _given("SERVERS"):
        yield given
        return
    run = Path(os.environ[_RUN])
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # held until all is up: the other workers wait for it here
        if not (run / "offset").exists():
            (run / "offset").write_text(str(_free_offset()))
            tracked = any(item.get_closest_marker("mlflow") for item in request.session.items)
            names = ",".join((*SERVERS, "mlflow") if tracked else SERVERS)
            _foretick(_layout(run / "servers", int((run / "offset").read_text())), "up", "--detach", "--only", names)
    layout = _layout(run / "servers", int((run / "offset").read_text()))
    yield layout
    if request.session.testsfailed:
        print(_logs(layout))


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest) -> Iterator[Layout]:
    """Start the whole of Foretick, Airflow and a short first training included, on ports of its own.

    FORETICK_TEST_SYSTEM=OFFSET:HOME uses one that runs already, for quick development.
    """
    if given := _given("SYSTEM"):
        yield given
        return
    with _own() as layout, _up(request, layout, FORETICK_FAMILY_PARAMETERS=json.dumps(QUICKLY)):
        yield layout


@pytest.fixture(scope="session")
def breakable(request: pytest.FixtureRequest) -> Iterator[Layout]:
    """Start servers that tests may kill, on ports of their own: nobody else's tests see it.

    Where this process may mount, Kafka's data are on a disk of their own, small enough to be filled.
    FORETICK_TEST_BREAKABLE=OFFSET:HOME uses a stack that runs already, for quick development.
    """
    if given := _given("BREAKABLE"):
        yield given
        return
    with (
        _own() as layout,
        mounted(layout.data / "kafka", "1g"),
        _up(request, layout, "--only", ",".join(SERVERS)),
    ):
        yield layout


@pytest.hookimpl(tryfirst=True)  # the groups are read by xdist's own hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep a file's tests together in one worker, and those of a stack; what takes longest is begun first.

    A single process has the whole system last.
    """
    items.sort(key=_rank, reverse=hasattr(config, "workerinput"))
    for item in items:
        rank = _rank(item)
        item.add_marker(pytest.mark.xdist_group(("", "breakable", "system")[rank] or item.path.name))
        if rank:
            item.add_marker(pytest.mark.realtime)
        if rank == 2 and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(1200))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to go on where groups are ignored: each worker would start a whole system of its own."""
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("this pytest-xdist does not group tests under this pytest: take those of requirements/")


def _rank(item: pytest.Item) -> int:
    """Tell which stack of its own a test needs: 2 the whole system, 1 servers that it may kill, 0 none."""
    needed = getattr(item, "fixturenames", ())
    return 2 if "system" in needed else int("breakable" in needed)


@pytest.fixture
def isolated(servers: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Isolated]:
    """Give one test its own topics, subjects and database; the environment of this process points there."""
    yield from _isolated(servers, monkeypatch)


@pytest.fixture(scope="module")
def isolated_module(servers: Layout) -> Iterator[Isolated]:
    """Give one module its own topics, subjects and database."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield from _isolated(servers, monkeypatch)


def _isolated(servers: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Isolated]:
    from streaming.admin import ensure_topics, register_schemas
    from streaming.settings import StreamSettings

    mark = uuid.uuid4().hex[:10]
    environment = servers.environment() | {
        "FORETICK_TOPIC_PREFIX": f"t{mark}-",
        "FORETICK_MONGODB_DATABASE": f"t{mark}",
        "FORETICK_CLOCK_URL": "",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = StreamSettings()
    ensure_topics(settings)
    register_schemas(settings)
    yield Isolated(environment=environment, topic_prefix=f"t{mark}-", database=f"t{mark}")


@pytest.fixture(scope="session")
def free_offset() -> Callable[[], int]:
    """Give a function that finds a port offset for a stack of one's own."""
    return _free_offset


@pytest.fixture
def stack(tmp_path: Path, free_offset: Callable[[], int]) -> Iterator[Stack]:
    """Give a stack of one's own, of which nothing runs; at the end it is stopped, and must leave nothing."""
    stack = Stack(_layout(tmp_path / "home", free_offset()))
    yield stack
    stack.run("down")
    assert stack.processes() == []


def _free_offset() -> int:
    """Return a port offset under which every port of a stack is free."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    offsets = list(range(_FIRST_OFFSET + 20 * (worker % 4), _OFFSETS_END, _STRIDE))
    random.shuffle(offsets)
    defaults = set(PORTS.values())
    for offset in offsets:
        moved = {port + offset for port in PORTS.values()}
        if not moved & defaults and all(free(port) for port in moved):
            return offset
    raise RuntimeError("no free range of ports for a test stack")


def _given(name: str) -> Layout | None:
    """Return a stack that runs already, if FORETICK_TEST_<name> says OFFSET:HOME of one."""
    given = os.environ.get(f"FORETICK_TEST_{name}")
    if not given:
        return None
    offset, _, home = given.partition(":")
    return _layout(Path(home), int(offset))


@contextmanager
def _own() -> Iterator[Layout]:
    """Give a stack ports and a folder of its own while a `with` block runs."""
    with tempfile.TemporaryDirectory(prefix="foretick-test-") as folder:
        yield _layout(Path(folder), _free_offset())


@contextmanager
def _up(request: pytest.FixtureRequest, layout: Layout, *arguments: str, **environment: str) -> Iterator[None]:
    """Keep a stack running while a `with` block runs; its logs are printed if a test failed."""
    try:
        _foretick(layout, "up", "--detach", *arguments, **environment)
        yield
        if request.session.testsfailed:
            print(_logs(layout))
    finally:
        _foretick(layout, "down")


def _remove(layout: Layout) -> None:
    """Stop a stack and remove its folder."""
    try:
        _foretick(layout, "down")
    finally:
        shutil.rmtree(layout.home)


def _foretick(layout: Layout, *arguments: str, **environment: str) -> None:
    """Run the command line against a test stack, untouched by what this process was told of another one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FORETICK_")}
    done = subprocess.run(
        (sys.executable, "-m", "stack", *arguments),
        cwd=layout.project,
        env=inherited | layout.environment() | {"FORETICK_CACHE": str(layout.cache)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        told = f"foretick {' '.join(arguments)} exited {done.returncode}:\n{done.stdout}{done.stderr}"
        raise RuntimeError(f"{told}\n{_logs(layout)}")


def _logs(layout: Layout) -> str:
    """Return the end of every log of a stack."""
    return "\n".join(f"--- {log.name}\n" + "\n".join(last_lines(log, 40)) for log in sorted(layout.logs.glob("*.log")))


def _layout(home: Path, offset: int) -> Layout:
    return Layout(home=home, cache=StackSettings().layout().cache, port_offset=offset)
