"""Processes that end while they are looked for."""

import os
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from stack.commands.status import memory_megabytes
from stack.layout import MARK
from stack.run import orphans
from tests.support.waiting import until


@pytest.fixture
def child(tmp_path) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(("sleep", "600"), env=os.environ | {MARK: str(tmp_path)}) as child:
        # It has begun, and its environment is in place a moment later.
        until(lambda: psutil.Process(child.pid).environ(), "its environment can be read", period=0)
        yield child
        child.kill()


def test_ancestor_that_ends_between_two_looks_is_looked_for_again(tmp_path, child, monkeypatch):
    real, looks = psutil.Process.parents, []

    def parents(process: psutil.Process) -> list[psutil.Process]:
        looks.append(process.pid)
        if len(looks) == 1:
            raise psutil.NoSuchProcess(1)
        return real(process)

    monkeypatch.setattr(psutil.Process, "parents", parents)
    assert [found.pid for found in orphans.marked(str(tmp_path))] == [child.pid]
    assert looks == [os.getpid()] * 2


def test_memory_of_a_process_counts_its_children_though_one_of_them_has_ended(child, monkeypatch):
    with subprocess.Popen("true") as short:
        gone = psutil.Process(short.pid)
    monkeypatch.setattr(psutil.Process, "children", lambda process, recursive: [gone, psutil.Process(child.pid)])
    own = memory_megabytes(os.getpid())
    monkeypatch.setattr(psutil.Process, "children", lambda process, recursive: [])
    assert memory_megabytes(child.pid) > 0
    assert own > memory_megabytes(os.getpid())


def test_memory_of_a_process_that_has_ended_is_none():
    with subprocess.Popen("true") as short:
        pass
    assert memory_megabytes(short.pid) == 0
