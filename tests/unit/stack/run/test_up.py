"""What `foretick up` does one after the other, and that a step which fails keeps nothing else from running."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.commands.status import print_clock
from stack.layout import Layout
from stack.run import backfill, first_run, up
from stack.run.airflow_api import WorkflowFailed
from stack.run.lock import make_folders
from stack.run.preflight import NotStartable
from stack.services.service import DidNotStart
from stack.services.supervisor import Supervisor, SupervisorGone
from stack.services.table import SERVICE_NAMES, services
from stack.terminal import Terminal

TOLD = """
import sys
from stack.run.up import hear_stops

stop = hear_stops()
try:
    exec("import os, sys, time; os.kill(os.getpid(), int(sys.argv[1])); time.sleep(20)")
except KeyboardInterrupt:
    print(stop.is_set())
"""
AIRFLOW = "airflow-scheduler"
TRAINED = {"champion", "naive", "lstm"}


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(home=tmp_path, cache=tmp_path)
    yield layout
    up.down(layout, Terminal(quiet=True))  # its socket's folder lies outside


def travelled(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, *, known: set[str], failing: str = "", train: bool = True
) -> tuple[int, list[str]]:
    """Travel with every step replaced by a note of it; return the exit code and the notes."""
    notes: list[str] = []

    def step(name: str):
        def take(*_: object) -> None:
            notes.append(name)
            if name == failing:
                raise WorkflowFailed(f"{name} failed")

        return take

    def start(layout: Layout, supervisor: Supervisor, wanted: list, console: Terminal) -> None:
        notes.extend(each.name for each in wanted if each.name in ("gateway", AIRFLOW))

    monkeypatch.setattr(up, "start_services", start)
    monkeypatch.setattr(up, "prepare_log", step("log"))
    monkeypatch.setattr(backfill, "await_backfill", step("backfill"))
    monkeypatch.setattr(first_run, "aliases_at_work", lambda _: known)
    for name, function in (
        ("walk", "train_random_walk"),
        ("train", "train_by_airflow"),
        ("schedule", "schedule_workflows"),
        ("serve", "await_forecasting"),
        ("clock", "start_clock"),
    ):
        monkeypatch.setattr(first_run, function, step(name))
    wanted = [each for each in services(layout) if each.name in SERVICE_NAMES]
    code = up._travel(layout, Supervisor(layout), wanted, train, Terminal(quiet=True), 0.0)
    return code, notes


def test_up_with_trained_families_trains_nothing(layout, monkeypatch):
    code, notes = travelled(layout, monkeypatch, known=TRAINED)
    assert (code, notes) == (0, ["gateway", "log", "backfill", "serve", "clock", AIRFLOW])


def test_up_the_first_time_opens_the_market_with_the_random_walk_before_airflow_trains(layout, monkeypatch):
    code, notes = travelled(layout, monkeypatch, known=set())
    assert (code, notes) == (
        (0, ["gateway", "log", "backfill", "walk", "serve", "clock", AIRFLOW, "train", "schedule", "serve"])
    )


def test_up_after_a_first_training_that_was_cut_off_trains_again(layout, monkeypatch):
    code, notes = travelled(layout, monkeypatch, known={"champion", "naive"})
    assert (code, notes) == (0, ["gateway", "log", "backfill", "serve", "clock", AIRFLOW, "train", "schedule", "serve"])


def test_up_without_training_trains_nothing(layout, monkeypatch):
    code, notes = travelled(layout, monkeypatch, known=set(), train=False)
    assert (code, notes) == (0, ["gateway", "log", "backfill", "clock", AIRFLOW])


@pytest.mark.parametrize(
    ("failing", "known", "notes"),
    [
        ("backfill", TRAINED, ["gateway", "log", "backfill", "clock", AIRFLOW]),
        ("serve", TRAINED, ["gateway", "log", "backfill", "serve", "clock", AIRFLOW]),
        ("walk", set(), ["gateway", "log", "backfill", "walk", "clock", AIRFLOW, "train", "schedule", "serve"]),
        ("train", set(), ["gateway", "log", "backfill", "walk", "serve", "clock", AIRFLOW, "train"]),
    ],
)
def test_up_step_that_fails_is_told_and_all_else_runs(layout, monkeypatch, failing, known, notes):
    assert travelled(layout, monkeypatch, known=known, failing=failing) == (1, notes)


def test_fresh_forgets_all_the_system_knows_and_keeps_what_the_user_has(layout):
    for folder in (*layout.private(), layout.data / "kafka", layout.home / "exchange", layout.home / "snapshots"):
        folder.mkdir(parents=True, exist_ok=True)
    (layout.home / "notes.txt").write_text("mine")
    up._forget(layout, Terminal(quiet=True))
    left = {path.name for path in layout.home.iterdir()}
    assert left >= {"data", "logs", "run", "secrets", "notes.txt"}
    assert not left & {"exchange", "snapshots"}
    assert list(layout.data.iterdir()) == []


@pytest.mark.parametrize(
    ("clock", "told"),
    [
        (None, "does not answer"),
        ({"finished": True}, "`foretick up --fresh` begins again"),
        (
            {
                "finished": False,
                "running": True,
                "seconds_per_session": 5.0,
                "session": "2012-05-18",
                "sessions_left": 9,
            },
            "The replay is at 2012-05-18, a session every 5 s; 9 sessions are left.",
        ),
    ],
)
def test_status_tells_where_the_replay_is_and_what_to_do_at_its_end(clock, told):
    console = Terminal(record=True, width=200, file=io.StringIO())
    print_clock(clock, console)
    assert told in console.export_text()


def test_down_twice_at_once_removes_the_sockets_folder_once(tmp_path, monkeypatch):
    layout = Layout(home=tmp_path / ("long" * 30), cache=tmp_path)
    layout.socket.parent.mkdir(parents=True)
    real = Path.rmdir

    def rmdir(path: Path) -> None:
        real(path)  # the other `down`
        real(path)

    monkeypatch.setattr(Path, "rmdir", rmdir)
    assert up.down(layout, Terminal(quiet=True)) is False
    assert not layout.socket.parent.exists()


def test_up_of_servers_alone_makes_the_topics_and_stays_up_where_they_must_be_mended(layout, monkeypatch):
    servers = [each for each in services(layout) if each.name in ("kafka", "registry", "mongodb")]
    asked = []

    def unfit(layout: Layout) -> None:
        asked.append(layout)
        raise DidNotStart("stock-data does not keep its events: `foretick topics --mend`")

    monkeypatch.setattr(up, "start_services", lambda *_: None)
    monkeypatch.setattr(up, "prepare_log", unfit)
    console = Terminal(record=True, width=200)
    assert up._travel(layout, Supervisor(layout), servers, True, console, 0.0) == 1
    assert "foretick topics --mend" in console.export_text()
    monkeypatch.setattr(up, "prepare_log", asked.append)
    assert up._travel(layout, Supervisor(layout), servers, True, console, 0.0) == 0
    assert asked == [layout, layout]
    assert up._travel(layout, Supervisor(layout), servers[:1], True, console, 0.0) == 0
    assert asked == [layout, layout]


def test_folders_of_a_home_are_nobody_elses(tmp_path):
    layout = Layout(home=tmp_path / "home", cache=tmp_path / "cache")
    layout.logs.mkdir(parents=True, mode=0o755)
    (tmp_path / "disk").mkdir()
    layout.data.symlink_to(tmp_path / "disk")
    make_folders(layout)
    assert {folder.stat().st_mode & 0o777 for folder in layout.private()} == {0o700}


def test_socket_folder_that_somebody_made_before_us_is_refused(tmp_path):
    layout = Layout(home=tmp_path / ("long" * 30), cache=tmp_path / "cache")
    trap = layout.socket.parent
    trap.symlink_to(tmp_path)
    try:
        with pytest.raises(NotStartable, match="another user's, or a link"):
            make_folders(layout)
        assert not Supervisor(layout).alive()
        with pytest.raises(SupervisorGone, match="nobody there is told anything"):
            Supervisor(layout).pid()
    finally:
        trap.unlink()


@pytest.mark.parametrize("number", [2, 15])
def test_signal_that_comes_in_the_middle_of_an_import_leaves_the_exit_code_alone(number: int) -> None:
    done = subprocess.run([sys.executable, "-c", TOLD, str(number)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
