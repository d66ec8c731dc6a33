"""Which ends of a run are called killed."""

import os
import signal

import mlflow
import pytest

from forecasting.modelstore.killed_runs import killed_if_terminated
from forecasting.modelstore.signals import Terminated, terminated_by_signals


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    states: list[str] = []
    monkeypatch.setattr(mlflow, "end_run", states.append)
    return states


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("arrives", [True, False])
def test_run_of_a_process_that_is_told_to_end_is_killed(ended: list[str], number: int, arrives: bool) -> None:
    def work() -> None:
        try:
            os.kill(os.getpid(), number)
        except (Terminated, KeyboardInterrupt):
            if arrives:
                raise
        raise SystemError("returned a result with an exception set")  # NumPy's

    with pytest.raises((Terminated, KeyboardInterrupt)), terminated_by_signals(), killed_if_terminated("1"):
        work()

    assert ended == ["KILLED"]


def test_run_that_is_interrupted_outside_of_a_command_is_killed(ended: list[str]) -> None:
    with pytest.raises(KeyboardInterrupt), killed_if_terminated("1"):
        raise KeyboardInterrupt
    assert ended == ["KILLED"]


def test_run_that_fails_is_left_to_mlflow(ended: list[str]) -> None:
    with pytest.raises(ValueError, match="wrong"), killed_if_terminated("1"):
        raise ValueError("wrong")
    assert ended == []
