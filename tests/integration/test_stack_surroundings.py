"""Poor surroundings, as cron jobs, containers and old servers have them: all works, or what does not is told."""

import os
import resource
import subprocess
import sys

import pytest

from contracts.topics import STOCK_DATA
from stack.layout import PROJECT
from streaming.ranges import every_end
from tests.support.stacks import Stack
from tests.support.waiting import PATIENCE, until

pytestmark = [pytest.mark.realtime, pytest.mark.slow, pytest.mark.timeout(600)]


def poorly(stack: Stack, *arguments: str, files: int, hard: bool = False) -> tuple[int, str]:
    """Run a command without HOME, in the C locale, at the other end of the world, with files for its owner alone."""
    given = {"LC_ALL": "C", "TZ": "Pacific/Kiritimati", "PATH": os.environ["PATH"]}

    def before() -> None:
        os.umask(0o077)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files if hard else most))

    done = subprocess.run(
        (sys.executable, "-m", "stack", *arguments),
        cwd=PROJECT,
        env=given | stack.layout.environment() | {"FORETICK_CACHE": str(stack.layout.cache)},
        preexec_fn=before,  # nothing else of this process runs between
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE * 120,
    )
    return done.returncode, done.stdout + done.stderr


def test_stack_without_a_home_a_locale_or_many_descriptors_takes_in_the_market(stack):
    services = "kafka,registry,mongodb,exchange,producers,projections,gateway"
    code, output = poorly(stack, "up", "--detach", "--only", services, files=256)
    assert code == 0, output
    settings = stack.layout.stream()
    until(lambda: sum(every_end(settings)[STOCK_DATA.name, each] for each in range(STOCK_DATA.partitions)) > 1000)
    code, output = poorly(stack, "status", files=256)
    assert code == 0, output
    for path in stack.layout.home.rglob("*"):
        assert path.lstat().st_mode & 0o077 == 0 or path.is_socket() or not path.exists(), path


def test_stack_that_may_open_too_few_files_says_so_and_starts_nothing(stack):
    code, output = poorly(stack, "up", "--detach", "--only", "mongodb", files=256, hard=True)
    assert code == 2
    assert "Only 256 files may be open at a time; 1024 are needed" in output
    assert stack.processes() == []
