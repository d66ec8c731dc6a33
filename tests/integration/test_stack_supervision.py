"""The stack keeps its processes alive, and leaves none behind."""

import os
import signal
import socket

import psutil
import pytest

from contracts.topics import STOCK_DATA
from stack.layout import HOST, Layout
from stack.services import health
from stack.settings import StackSettings
from streaming.ranges import topic_epoch
from tests.support.stacks import Stack
from tests.support.supervised import ended, kill, running
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.realtime
SERVICE = "mongodb"  # the one that starts fastest


def answers(stack: Stack) -> bool:
    """Tell whether the service answers."""
    return health.mongodb_probe(stack.layout.port(SERVICE))(2.0)


def process_of(stack: Stack) -> psutil.Process:
    """Return the service's process, once it runs."""
    return running(stack.supervisor, SERVICE)


def test_killed_service_comes_back_by_itself(stack):
    code, output = stack.run("up", "--only", SERVICE, "--detach")
    assert code == 0, output
    killed = kill(stack.supervisor, SERVICE)
    until(lambda: process_of(stack) != killed and answers(stack), "a new process that answers")


def test_down_leaves_no_process_and_no_port(stack):
    stack.run("up", "--only", SERVICE, "--detach")
    code, output = stack.run("down")
    assert (code, output.strip()) == (0, "Stopped.")
    assert stack.processes() == []
    assert not answers(stack)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_up_in_the_foreground_signalled_stops_everything(stack, ending):
    process = stack.command("up", "--only", SERVICE)
    until(lambda: answers(stack), "the service answering")
    process.send_signal(ending)
    output, _ = process.communicate(timeout=PATIENCE * 60)
    assert process.returncode == 0, output
    assert stack.processes() == []


def test_down_from_elsewhere_ends_up_in_the_foreground(stack):
    process = stack.command("up", "--only", SERVICE)
    until(lambda: answers(stack), "the service answering")
    stack.run("down")
    output, _ = process.communicate(timeout=PATIENCE * 60)
    assert process.returncode == 0, output
    assert "`foretick down` was called" in output


def test_up_in_the_foreground_whose_supervisor_is_killed_leaves_nothing(stack):
    process = stack.command("up", "--only", SERVICE)
    until(lambda: answers(stack), "the service answering")
    os.kill(stack.supervisor.pid(), signal.SIGKILL)
    output, _ = process.communicate(timeout=PATIENCE * 60)
    assert process.returncode == 1, output
    assert stack.processes() == []


def test_up_signalled_while_starting_stops_everything(stack):
    process = stack.command("up", "--only", "mlflow")  # it takes seconds to answer
    until(stack.supervisor.alive, "supervisord answering")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE * 60)
    assert process.returncode == 0, output
    assert stack.processes() == []


def test_second_up_says_it_runs_already(stack):
    stack.run("up", "--only", SERVICE, "--detach")
    before = process_of(stack)
    code, output = stack.run("up", "--only", SERVICE, "--detach")
    assert code == 0
    assert "already running" in output
    assert SERVICE in output
    assert process_of(stack) == before


def test_many_ups_at_once_are_one_up(stack):
    ups = [stack.command("up", "--only", SERVICE, "--detach") for _ in range(3)]
    outputs = [process.communicate(timeout=PATIENCE * 60)[0] for process in ups]
    assert [process.returncode for process in ups] == [0, 0, 0], outputs
    assert sum("already running" in output for output in outputs) == 2
    until(lambda: answers(stack), "the service answering")
    assert sum("supervisord" in " ".join(line) for line in stack.processes()) == 1


def test_up_after_the_supervisor_was_killed_takes_over_its_ports(stack):
    stack.run("up", "--only", SERVICE, "--detach")
    left = process_of(stack)
    os.kill(stack.supervisor.pid(), signal.SIGKILL)
    until(lambda: not stack.supervisor.alive(), "the end of supervisord")
    assert not ended(left)
    code, output = stack.run("up", "--only", SERVICE, "--detach")
    assert code == 0, output
    assert ended(left)
    assert answers(stack)


def test_down_after_the_supervisor_was_killed_sweeps_what_it_left(stack):
    stack.run("up", "--only", SERVICE, "--detach")
    os.kill(stack.supervisor.pid(), signal.SIGKILL)
    code, output = stack.run("down")
    assert (code, output.strip()) == (0, "Stopped.")
    assert stack.processes() == []


def test_killed_parent_does_not_lock_its_successor_out_of_the_port(stack):
    code, output = stack.run("up", "--only", "mlflow", "--detach")
    assert code == 0, output
    children = running(stack.supervisor, "mlflow").children(recursive=True)
    assert children, "MLflow serves from a child process"
    kill(stack.supervisor, "mlflow")
    serves = health.http_probe(stack.layout.url("mlflow", "/health"))
    until(lambda: all(map(ended, children)) and serves(), "a new MLflow that answers")


def test_up_with_a_port_in_use_says_which_and_starts_nothing(stack):
    with socket.create_server((HOST, stack.layout.port(SERVICE))):
        code, output = stack.run("up", "--only", SERVICE, "--detach")
    assert code == 2
    assert f"Port {stack.layout.port(SERVICE)} ({SERVICE}) is in use by process {os.getpid()}" in output.replace(
        "\n", " "
    )
    assert stack.processes() == []


def test_status_of_a_running_stack_shows_its_service(stack):
    stack.run("up", "--only", SERVICE, "--detach")
    code, output = stack.run("status")
    assert code == 0
    assert f"{SERVICE}" in output
    assert str(process_of(stack).pid) in output


HOSTILE = "x ü %20 #b ;c 'q' \"d\" & (a) [z]* + e, =:?"


def test_home_of_any_name_holds_all_its_data_and_comes_up_again_where_it_was_moved_to(tmp_path, free_offset):
    servers = ("up", "--only", "kafka,registry,mongodb,mlflow", "--detach")
    offset, before, after = free_offset(), tmp_path / "a" / HOSTILE, tmp_path / "b" / f"{HOSTILE} 2"
    before.parent.mkdir()
    after.parent.mkdir()
    cache = StackSettings().layout().cache
    plain = {"LC_ALL": "C", "FORETICK_CACHE": str(cache)}
    first, second = (Stack(Layout(home=home, cache=cache, port_offset=offset)) for home in (before, after))
    try:
        code, output = first.run(*servers, **plain)
        assert code == 0, output
        made = topic_epoch(first.layout.stream(), STOCK_DATA)
        assert sorted(path.name for path in before.parent.iterdir()) == [HOSTILE]
        kept = {"kafka/meta.properties", "registry/registry.mv.db", "mlflow/mlflow.db", "mongodb/WiredTiger"}
        assert {name for name in kept if (before / "data" / name).is_file()} == kept
        assert first.run("down", **plain)[0] == 0
        before.rename(after)
        code, output = second.run(*servers, **plain)
        assert code == 0, output
        assert topic_epoch(second.layout.stream(), STOCK_DATA) == made  # the log that it had, not another one
        assert list(before.parent.iterdir()) == []
        assert [path.name for path in after.parent.iterdir()] == [after.name]
    finally:
        for each in (first, second):
            each.run("down", **plain)
            assert each.processes() == []
