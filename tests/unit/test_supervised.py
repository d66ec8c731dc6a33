"""What the tests know of processes holds while those come and go."""

import subprocess
from collections.abc import Iterator

import psutil
import pytest

from stack.services.supervisor import State
from tests.support.supervised import ended, kill, running
from tests.support.waiting import until


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(("sleep", "600")) as child:
        yield child
        child.kill()


class Restarting:
    """A supervisor that tells of one life of its service after the other."""

    def __init__(self, *pids: int) -> None:
        self._pids = list(pids)

    def states(self) -> dict[str, State]:
        pid = self._pids.pop(0) if len(self._pids) > 1 else self._pids[0]
        return {"kafka": State("kafka", "RUNNING", pid)}


class Ending(psutil.Process):
    """A process that ends right after it was found running."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        super().__init__(child.pid)
        self._child = child

    def is_running(self) -> bool:
        found = super().is_running()
        self._child.kill()
        self._child.wait()
        return found


def gone() -> int:
    """Return the PID of a process that has ended."""
    with subprocess.Popen("true") as process:
        return process.pid


def test_ended_of_a_process_that_runs_is_false_and_true_once_it_is_killed_though_nobody_asked(child) -> None:
    process = psutil.Process(child.pid)
    assert not ended(process)
    process.kill()
    until(lambda: ended(process))
    assert process.is_running()  # psutil itself counts a zombie


def test_ended_of_a_process_that_was_asked_about_is_true(child) -> None:
    process = psutil.Process(child.pid)
    child.kill()
    child.wait()
    assert ended(process)


def test_ended_of_a_process_that_ends_between_two_looks_is_true(child) -> None:
    assert ended(Ending(child))


def test_running_passes_over_the_time_between_two_lives(child) -> None:
    assert running(Restarting(0, gone(), child.pid), "kafka").pid == child.pid


def test_kill_of_a_service_that_comes_and_goes_kills_the_one_that_runs(child) -> None:
    killed = kill(Restarting(gone(), 0, child.pid), "kafka")
    assert (killed.pid, child.wait()) == (child.pid, -9)
