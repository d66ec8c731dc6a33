"""Which ends of a run are called killed."""

import mlflow
import pytest

from forecasting.endings import Told
from forecasting.killed import killed_if_told


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    states: list[str] = []
    monkeypatch.setattr(mlflow, "end_run", states.append)
    return states


def within_numpy(told: BaseException) -> SystemError:
    """Return what NumPy makes of a signal's exception."""
    error = SystemError("returned a result with an exception set")
    error.__cause__ = told
    return error


@pytest.mark.parametrize("told", [Told(143), KeyboardInterrupt(), within_numpy(Told(143))], ids=repr)
def test_run_of_a_process_that_is_told_to_end_is_killed(ended: list[str], told: BaseException) -> None:
    with pytest.raises(type(told)), killed_if_told("1"):
        raise told
    assert ended == ["KILLED"]


def test_run_that_fails_is_left_to_mlflow(ended: list[str]) -> None:
    with pytest.raises(ValueError, match="wrong"), killed_if_told("1"):
        raise ValueError("wrong")
    assert ended == []
