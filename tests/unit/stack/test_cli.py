"""The command line itself."""

import json
import os
import subprocess
import sys
from unittest import mock

import pytest
from typer.testing import CliRunner

from stack.cli import app

COMMANDS = (
    "up",
    "down",
    "status",
    "logs",
    "ingest",
    "train",
    "models",
    "promote",
    "reproduce",
    "drift",
    "rebuild",
    "topics",
    "contracts check",
    "contracts diff",
    "contracts register",
    "new-epoch",
    "snapshot",
    "snapshot verify",
    "dlq list",
    "dlq show",
    "dlq redrive",
    "dlq drop",
    "contracts new-version",
    "contracts generate",
)


@pytest.fixture(autouse=True)
def own_environment():
    with mock.patch.dict(os.environ):  # a command tells its own process where the stack is
        yield


def run(*arguments: str, **environment: str):
    return CliRunner(env=environment).invoke(app, arguments)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_shows_an_example(command):
    result = run(*command.split(), "--help", COLUMNS="200")
    assert result.exit_code == 0
    assert f"foretick {command}" in result.output


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from typer.testing import CliRunner; from stack.cli import app;"
        "CliRunner().invoke(app, ['--help']);"
        "heavy = ('mlflow', 'tensorflow', 'pandas', 'confluent_kafka', 'pydantic');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_up_unknown_service_says_so_and_starts_nothing(tmp_path):
    result = run("up", "--only", "kafak", FORETICK_HOME=str(tmp_path / "home"))
    assert result.exit_code == 2
    assert "there is no service kafak" in result.output
    assert not (tmp_path / "home").exists()


def test_logs_unknown_service_says_which_there_are(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "kafka.log").write_text("hello\n")
    result = run("logs", "mongo", FORETICK_HOME=str(tmp_path))
    assert result.exit_code == 2
    assert "there are: kafka" in result.output
    assert run("logs", "kafka", FORETICK_HOME=str(tmp_path)).output == "hello\n"


def test_status_nothing_running_says_how_to_start(tmp_path):
    result = run("status", FORETICK_HOME=str(tmp_path))
    assert result.exit_code == 1
    assert "foretick up" in result.output


def test_status_for_programs_when_nothing_runs_is_empty(tmp_path):
    result = run("status", "--json", FORETICK_HOME=str(tmp_path))
    assert result.exit_code == 1
    assert json.loads(result.output) == {"services": [], "topics": None, "projections": None}


def test_down_nothing_running_is_no_failure(tmp_path):
    result = run("down", FORETICK_HOME=str(tmp_path))
    assert result.exit_code == 0
    assert "Nothing was running" in result.output


def test_contracts_check_offline_agrees():
    result = run("contracts", "check", "--offline")
    assert result.exit_code == 0, result.output
