"""What a training tells in JSON lines is what is shown of it, once."""

import json
from io import StringIO
from pathlib import Path

import pytest

from forecasting.models.base import Epoch
from forecasting.training.progress import JsonProgress, PlainProgress, progress_for
from stack.run.training_log import StageLog, airflow_lines
from stack.terminal import Terminal


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    with JsonProgress() as progress:
        progress.stage("training lstm [on 5 symbols]")
        progress.epoch("lstm", Epoch(number=2, of=30, loss=0.25, val_loss=0.5))
        progress.epoch("arima", Epoch(number=1, of=5, loss=float("nan"), val_loss=float("nan")))
    return capsys.readouterr().err.splitlines()


def test_stages_are_lines_epochs_are_in_the_status_and_other_output_is_passed_over(capsys) -> None:
    told = lines(capsys)
    console = Terminal(file=StringIO(), width=100)
    with StageLog(console, "training") as shown:
        shown.take([*told[:2], "[2012] a log line", "{}", "[1]", "not json {"])
        assert shown._epoch == "lstm: 2 of 30, loss 0.2500, on later sessions 0.5000"
        shown.take(told)  # as a growing file gives them again
        shown.take(told)
    printed = console.file.getvalue()
    assert [printed.count(text) for text in ("training lstm [on 5 symbols]", "done", "not json", "log line")] == [
        1,
        1,
        0,
        0,
    ]


def test_tasks_of_a_workflow_are_read_from_airflows_own_log(tmp_path: Path, capsys) -> None:
    told = lines(capsys)
    log = tmp_path / "task_id=train" / "attempt=1.log"
    log.parent.mkdir()
    log.write_text("\n".join(json.dumps({"event": line}) for line in told) + '\n{"event": "half')
    assert airflow_lines(tmp_path) == told


def test_who_asks_for_json_gets_it_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(progress_for(interactive=False), PlainProgress)
    monkeypatch.setenv("FORETICK_PROGRESS", "json")
    assert isinstance(progress_for(interactive=True), JsonProgress)
