"""What a stranger sees of each command while nothing runs: which server is away and what to do, no traceback."""

import os
import subprocess
import sys

import pytest

from stack.layout import PROJECT

COMMANDS = {
    "topics": "Kafka at",
    "new-epoch e2-": "Kafka",
    "contracts register": "the registry at",
    "models": "MLflow at",
    "snapshot": "MongoDB",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_without_servers_names_the_one_that_is_away_and_what_to_do(command, free_offset, tmp_path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FORETICK_")}
    done = subprocess.run(
        (sys.executable, "-m", "stack", *command.split()),
        cwd=PROJECT,
        env=inherited | {"FORETICK_HOME": str(tmp_path), "FORETICK_PORT_OFFSET": str(free_offset())},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode in (1, 2), said
    assert COMMANDS[command] in said
    assert "foretick up" in said
    assert "Traceback" not in said
    assert "rdkafka" not in said
    assert said.count("Connection refused") <= 1
    assert len(said.strip().splitlines()) <= 4
