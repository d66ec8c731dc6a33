"""Drift alarms in a real log: what stands, and what waits for a training."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.events import DriftDetected, ModelPromoted
from contracts.samples import sample
from forecasting.scoring.alarms import standing_alarms, unanswered_alarms
from forecasting.settings import ForecastingSettings
from forecasting.training.promotions import GATE
from stack.commands.drift import NOTHING_WAITS, print_alarms
from stack.terminal import Terminal
from streaming.publisher import Publisher
from tests.conftest import Isolated

ALARM, DECISION = sample(DriftDetected), sample(ModelPromoted)
assert isinstance(ALARM, DriftDetected)
assert isinstance(DECISION, ModelPromoted)


def publish(settings: ForecastingSettings, event: DriftDetected | ModelPromoted) -> None:
    moment = event.recorded_at if isinstance(event, DriftDetected) else event.decided_at
    with Publisher(settings, "/tests") as publisher:
        publisher.publish(event, time=moment)


def test_alarm_waits_until_a_training_was_decided_and_stands_until_it_is_cleared(
    isolated: Isolated, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, console = ForecastingSettings(), Terminal(width=200)
    assert print_alarms(settings, True, console) == NOTHING_WAITS
    assert print_alarms(settings, False, console) == 0
    capsys.readouterr()

    publish(settings, replace(ALARM, model_name="another"))
    publish(settings, ALARM)
    assert standing_alarms(settings) == unanswered_alarms(settings) == [ALARM]
    assert print_alarms(settings, True, console) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == ALARM.event_id
    assert "COVERAGE_95" in lines[0]

    decided = ALARM.recorded_at + timedelta(hours=1)
    publish(settings, replace(DECISION, decided_by="person: ada", decided_at=decided))
    assert unanswered_alarms(settings) == [ALARM]
    publish(settings, replace(DECISION, decided_by=GATE, decided_at=decided))
    assert unanswered_alarms(settings) == []
    assert standing_alarms(settings) == [ALARM]

    publish(settings, replace(ALARM, state="CLEARED", recorded_at=decided))
    assert standing_alarms(settings) == []
