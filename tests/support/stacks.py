"""A stack of one's own that a test starts, breaks and stops by the command line."""

import os
import subprocess
import sys
from contextlib import suppress

import psutil

from stack.layout import PROJECT, Layout
from stack.run import orphans
from stack.services.supervisor import Supervisor
from tests.support.waiting import PATIENCE


class Stack:
    """A stack, and the command line that governs it."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.supervisor = Supervisor(layout)

    def command(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            (sys.executable, "-m", "stack", *arguments),
            cwd=PROJECT,
            env=os.environ | self.layout.environment() | {"FORETICK_CACHE": str(self.layout.cache)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        process = self.command(*arguments, **environment)
        output, _ = process.communicate(timeout=PATIENCE * 60)
        return process.returncode, output

    def processes(self) -> list[list[str]]:
        """Return the command lines of what runs."""
        found = []
        for each in orphans.marked(str(self.layout.home)):
            with suppress(psutil.NoSuchProcess):
                found.append(each.cmdline())
        return found
