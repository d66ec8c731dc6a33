"""The command line itself."""

import json
import os
import subprocess
import sys
from unittest import mock

import pytest
from typer.testing import CliRunner

from stack.cli.main import app
from tests.support.ports import HOST, free_port

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
        "import sys; from typer.testing import CliRunner; from stack.cli.main import app;"
        "CliRunner().invoke(app, ['--help']);"
        "heavy = ('mlflow', 'tensorflow', 'pandas', 'confluent_kafka', 'pydantic');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def foretick(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a shell does."""
    command = (sys.executable, "-m", "stack", *arguments)
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        (
            "SOURCE",
            "reuters",
            "FORETICK_SOURCE: Input should be 'yahoo', 'alphavantage', 'rest' or 'csv' (it is",
        ),
        ("POLL_SECONDS", "-1", "FORETICK_POLL_SECONDS: Input should be greater than 0 (it is '-1')"),
        ("PORT_OFFSET", "many", "FORETICK_PORT_OFFSET: Input should be a valid integer"),
    ],
)
def test_wrong_setting_is_told_by_its_name_without_a_traceback(tmp_path, setting, value, told):
    done = foretick("ingest", "--dry-run", FORETICK_HOME=str(tmp_path), **{f"FORETICK_{setting}": value})
    assert done.returncode == 2
    assert told in done.stderr
    assert ".env.example" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_dry_run_without_a_log_shows_what_a_file_would_bring_and_why_some_of_it_is_refused(tmp_path):
    rows = ("2012-01-03,10,11,9,10.5,100", "2012-01-04,10,8,9,10.5,100", "2012-01-07,10,11,9,10.5,100")
    (tmp_path / "ACME.csv").write_text("\n".join(("date,open,high,low,close,volume", *rows)))
    nobody = free_port()
    done = foretick(
        *("ingest", "--dry-run", "--source", "csv", "--symbols", "ACME,NOPE"),
        FORETICK_HOME=str(tmp_path / "home"),
        FORETICK_CSV_PATH=str(tmp_path),
        FORETICK_KAFKA=f"{HOST}:{nobody}",
    )
    assert done.returncode == 1  # of NOPE there is no file
    assert "No log to compare with" in done.stdout
    assert "│ ACME   │        1 │           0 │ 2012-01-03 21:00 │" in done.stdout
    assert "refused ACME 2012-01-04T21:00:00Z: high 8.0 is below open 10.0 or close 10.5" in done.stdout
    assert "refused ACME 2012-01-07: 2012-01-07 is no session of XNYS" in done.stdout
    assert "failed NOPE:" in done.stdout


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


@pytest.mark.parametrize("options", [[], ["--follow", "--lines", "0"]])
def test_logs_steer_no_terminal(options, tmp_path, monkeypatch):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "kafka.log").write_text("a\tb\x1b[2J\n")
    monkeypatch.setattr("stack.services.logs.follow_log", lambda path: iter([path.read_text()]))
    assert run("logs", "kafka", *options, FORETICK_HOME=str(tmp_path)).output == "a\tb\ufffd[2J\n"


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
