"""What `foretick up` does one after the other, and that a step which fails keeps nothing else from running."""

from pathlib import Path

import pytest
from rich.console import Console

from stack import backfill, journey, up
from stack.layout import Layout
from stack.services import NAMES, services
from stack.supervisor import Supervisor
from stack.workflows import WorkflowFailed

AIRFLOW = "airflow-scheduler"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(home=tmp_path, cache=tmp_path)


def travelled(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, *, champion: bool, failing: str = "", train: bool = True
) -> tuple[int, list[str]]:
    """Travel with every step replaced by a note of it; return the exit code and the notes."""
    notes: list[str] = []

    def step(name: str):
        def take(*_: object) -> None:
            notes.append(name)
            if name == failing:
                raise WorkflowFailed(f"{name} failed")

        return take

    def start(layout: Layout, supervisor: Supervisor, wanted: list, console: Console) -> None:
        notes.extend(each.name for each in wanted if each.name in ("gateway", AIRFLOW))

    monkeypatch.setattr(up, "start", start)
    monkeypatch.setattr(backfill, "await_backfill", step("backfill"))
    monkeypatch.setattr(journey, "has_champion", lambda _: champion)
    for name, function in (
        ("train", "train_by_airflow"),
        ("schedule", "schedule_workflows"),
        ("serve", "await_forecasting"),
        ("clock", "start_clock"),
    ):
        monkeypatch.setattr(journey, function, step(name))
    wanted = [each for each in services(layout) if each.name in NAMES]
    code = up._travel(layout, Supervisor(layout), wanted, train, Console(quiet=True), 0.0)
    return code, notes


def test_up_with_a_champion_opens_the_market_before_airflow_starts(layout, monkeypatch):
    assert travelled(layout, monkeypatch, champion=True) == (0, ["gateway", "backfill", "serve", "clock", AIRFLOW])


def test_up_without_a_champion_trains_before_the_market_opens(layout, monkeypatch):
    code, notes = travelled(layout, monkeypatch, champion=False)
    assert (code, notes) == (0, ["gateway", "backfill", AIRFLOW, "train", "schedule", "serve", "clock"])


def test_up_without_training_trains_nothing(layout, monkeypatch):
    code, notes = travelled(layout, monkeypatch, champion=False, train=False)
    assert (code, notes) == (0, ["gateway", "backfill", "clock", AIRFLOW])


@pytest.mark.parametrize(
    ("failing", "champion", "notes"),
    [
        ("backfill", True, ["gateway", "backfill", "clock", AIRFLOW]),
        ("serve", True, ["gateway", "backfill", "serve", "clock", AIRFLOW]),
        ("train", False, ["gateway", "backfill", AIRFLOW, "train", "clock"]),
    ],
)
def test_up_step_that_fails_is_told_and_all_else_runs(layout, monkeypatch, failing, champion, notes):
    assert travelled(layout, monkeypatch, champion=champion, failing=failing) == (1, notes)
