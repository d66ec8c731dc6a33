"""Drift alarms in a real log: what stands, and what waits for a training."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.alarms import DriftDetected
from contracts.events import ModelPromoted
from contracts.samples import sample
from forecasting.alarms import standing, unanswered
from forecasting.promotions import GATE
from forecasting.settings import ForecastingSettings
from stack.drift import NOTHING_WAITS, show
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
    assert show(settings, True, console) == NOTHING_WAITS
    assert show(settings, False, console) == 0
    capsys.readouterr()

    publish(settings, replace(ALARM, model_name="another"))
    publish(settings, ALARM)
    assert standing(settings) == unanswered(settings) == [ALARM]
    assert show(settings, True, console) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == ALARM.event_id
    assert "COVERAGE_95" in lines[0]

    decided = ALARM.recorded_at + timedelta(hours=1)
    publish(settings, replace(DECISION, decided_by="person: ada", decided_at=decided))
    assert unanswered(settings) == [ALARM]
    publish(settings, replace(DECISION, decided_by=GATE, decided_at=decided))
    assert unanswered(settings) == []
    assert standing(settings) == [ALARM]

    publish(settings, replace(ALARM, state="CLEARED", recorded_at=decided))
    assert standing(settings) == []
