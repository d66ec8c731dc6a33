"""One writer at a time, whatever happens to it."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from producers.publish_lock import Stopped, publish_lock
from tests.support.waiting import PATIENCE

_HOLDER = """
import sys, threading, time
from pathlib import Path
from producers.publish_lock import publish_lock
with publish_lock(Path(sys.argv[1]), threading.Event()):
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
    with pytest.raises(Stopped), publish_lock(path, stop):
        pytest.fail("two have their turn")
    holder.kill()
    holder.wait()
    with publish_lock(path, threading.Event()):
        pass


def test_turn_waits_for_the_one_before(tmp_path: Path) -> None:
    path, stop, order = tmp_path / "lock", threading.Event(), []

    def second() -> None:
        with publish_lock(path, stop):
            order.append("second")

    with publish_lock(path, stop):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(PATIENCE * 10)
    assert order == ["first", "second"]
