"""Whose run it is, and whether that process is gone: only what is certain is said."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from forecasting.modelstore.process_identity import HIDDEN, ProcessIdentity, started_at, this_process

MACHINE = str(0xEFFFFFFC)
HERE = ProcessIdentity("desk/4f3a", "boot-1", MACHINE, 100, 5000)
THEN = replace(HERE, pid=42, started=700)


@pytest.mark.parametrize(
    ("owner", "started", "gone"),
    [
        (THEN, None, True),
        (THEN, 900, True),  # its PID was given out again
        (THEN, 700, False),
        (THEN, HIDDEN, False),
        (HERE, 5000, False),
        (replace(THEN, host="other/77aa"), None, False),
        (replace(THEN, host="desk"), None, False),
        (replace(THEN, namespace="4026532777"), None, False),
        (replace(THEN, boot="boot-0"), 700, True),  # the machine was started again
        (replace(THEN, boot="boot-0", host="other/77aa"), 700, False),
    ],
)
def test_process_is_gone_only_where_that_is_certain(owner: ProcessIdentity, started: int | None, gone: bool) -> None:
    assert owner.gone(HERE, lambda pid: {42: started, 100: 5000}[pid]) is gone


@pytest.mark.parametrize("changes", [{"host": "app"}, {"namespace": "4026532777"}])
def test_process_of_another_boot_is_not_gone_where_the_name_may_be_that_of_many(changes: dict[str, str]) -> None:
    here = replace(HERE, **changes)  # type: ignore[arg-type]  # all are texts

    assert not replace(here, boot="boot-0", pid=42).gone(here, lambda pid: None)


def test_process_read_off_its_tags_is_the_same() -> None:
    here = this_process()

    assert ProcessIdentity.of({"family": "naive", **here.tags()}) == here
    assert here.pid == os.getpid()
    assert not here.gone(this_process(), started_at)


@pytest.mark.parametrize("broken", [{}, {"process.pid": "many"}, {"process.started": ""}])
def test_tags_that_name_no_process_give_none(broken: dict[str, str]) -> None:
    tags = this_process().tags() | broken if broken else {"family": "naive"}

    assert ProcessIdentity.of(tags) is None


def test_process_that_ended_is_gone_even_before_its_parent_has_asked() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = replace(this_process(), pid=child.pid, started=started_at(child.pid) or 0)
    assert not owner.gone(this_process(), started_at)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended; it stays a zombie

    assert owner.gone(this_process(), started_at)
    child.wait()
    assert owner.gone(this_process(), started_at)
    assert child.stdin is not None
    child.stdin.close()
