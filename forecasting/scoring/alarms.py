"""Which drift alarms stand, and which of them no training has answered yet."""

from contracts.events import DriftDetected
from contracts.parts import CHAMPION
from contracts.topics import DRIFT_ALARMS
from forecasting.data import history
from forecasting.settings import ForecastingSettings
from forecasting.training.promotions import GATE
from streaming.reader import read_all


def standing_alarms(settings: ForecastingSettings) -> list[DriftDetected]:
    """Return the alarms of the settings' model that were raised and not cleared, oldest first.

    Raises:
        KafkaAway: the broker does not answer.
    """
    newest: dict[tuple[object, ...], DriftDetected] = {}
    for record in read_all(settings, DRIFT_ALARMS):
        if isinstance(record.event, DriftDetected) and record.event.model_name == settings.model_name:
            newest[record.event.watched] = record.event
    raised = [alarm for alarm in newest.values() if alarm.state == "RAISED"]
    return sorted(raised, key=lambda alarm: alarm.recorded_at)


def unanswered_alarms(settings: ForecastingSettings) -> list[DriftDetected]:
    """Return the standing alarms that were raised after the gate decided last.

    Raises:
        KafkaAway: the broker does not answer.
    """
    decided = [
        event.decided_at
        for event in history.decisions(settings)
        if event.alias == CHAMPION and event.decided_by == GATE
    ]
    return [alarm for alarm in standing_alarms(settings) if not decided or alarm.recorded_at > max(decided)]
