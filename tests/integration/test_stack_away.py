"""What a stranger sees of each command while nothing runs: which server is away and what to do, no traceback."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from stack.layout import PROJECT
from tests.support.waiting import PATIENCE

COMMANDS = {
    "topics": "Kafka at",
    "new-epoch e2-": "Kafka",
    "contracts register": "the registry at",
    "models": "MLflow at",
    "snapshot": "MongoDB",
}


@pytest.fixture(scope="module")
def told(free_offset: Callable[[], int], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Run all commands side by side, for they mostly wait; return each one's exit code and what it printed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FORETICK_")}
    running = {
        command: subprocess.Popen(
            (sys.executable, "-m", "stack", *command.split()),
            cwd=PROJECT,
            env=inherited
            | {"FORETICK_HOME": str(tmp_path_factory.mktemp("home")), "FORETICK_PORT_OFFSET": str(free_offset())},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command in COMMANDS
    }
    said = {command: process.communicate(timeout=PATIENCE * 75)[0] for command, process in running.items()}
    return {command: (process.returncode, said[command]) for command, process in running.items()}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_without_servers_names_the_one_that_is_away_and_what_to_do(command, told) -> None:
    code, said = told[command]
    assert code in (1, 2), said
    assert COMMANDS[command] in said
    assert "foretick up" in said
    assert "Traceback" not in said
    assert "rdkafka" not in said
    assert said.count("Connection refused") <= 1
    assert len(said.strip().splitlines()) <= 4
