"""One writer at a time, whatever happens to it."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from producers.turns import Stopped, turn
from tests.waiting import PATIENCE

_HOLDER = """
import sys, threading, time
from pathlib import Path
from producers.turns import turn
with turn(Path(sys.argv[1]), threading.Event()):
    print("held", flush=True)
    time.sleep(600)
"""


def test_turn_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "home" / "publishing.lock"
    holder = subprocess.Popen((sys.executable, "-c", _HOLDER, str(path)), stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Stopped), turn(path, stop):
        pytest.fail("two have their turn")
    holder.kill()
    holder.wait()
    with turn(path, threading.Event()):
        pass


def test_turn_waits_for_the_one_before(tmp_path: Path) -> None:
    path, stop, order = tmp_path / "lock", threading.Event(), []

    def second() -> None:
        with turn(path, stop):
            order.append("second")

    with turn(path, stop):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(PATIENCE * 10)
    assert order == ["first", "second"]
