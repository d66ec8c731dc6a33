"""`python -m forecasting.scoring.main`: score every forecast as its bars close, until stopped."""

import sys
import threading

import structlog

from contracts.topics import (
    CORPORATE_ACTIONS,
    DRIFT_ALARMS,
    FORECAST_SCORES,
    MODEL_PROMOTIONS,
    STOCK_DATA,
    STOCK_FORECASTS,
)
from forecasting.scoring.service import Scoring
from forecasting.scoring.state import scoring_state
from forecasting.settings import ScoreSettings
from streaming.admin import await_topics
from streaming.catching_up import KafkaLog, KafkaTopicReader
from streaming.clock import clock_from
from streaming.loop import Loop
from streaming.operations import configure_logging, serve_ops, stop_on_signals
from streaming.publisher import Publisher
from streaming.threads import Threads
from streaming.tracing import tracing

log = structlog.get_logger()

_INPUTS = (STOCK_DATA, STOCK_FORECASTS, CORPORATE_ACTIONS)
_END_SECONDS = 30.0


class ScoringService:
    """Wires scoring to Kafka."""

    def __init__(self, settings: ScoreSettings, stop: threading.Event) -> None:
        self._settings = settings
        self._waiting = "starting"
        self._threads = Threads(stop)
        self._scoring = Scoring(
            settings,
            Publisher(settings, "/foretick/scoring", stop),
            clock_from(settings),
            scoring_state(settings, KafkaLog(settings)),
            promotions=KafkaTopicReader(settings, MODEL_PROMOTIONS),
            alarms=KafkaTopicReader(settings, DRIFT_ALARMS),
        )
        self._loop = Loop(settings, "foretick.scoring", _INPUTS, self._scoring, buries=())

    def run(self) -> int:
        """Run until told to stop; return the exit code."""
        self._threads.start("scoring", self._serve)
        return self._threads.end(_END_SECONDS)

    def status(self) -> dict[str, object]:
        """Return what the service is doing."""
        state = self._loop.state
        return {**self._scoring.status(), "lag": state.lag, "caught_up": state.caught_up, "waiting": self.reasons()}

    def reasons(self) -> list[str]:
        """Return why the service is not doing its work now; empty when it is."""
        return [reason for reason in (self._waiting, self._loop.state.waiting_for, *self._threads.failed) if reason]

    def _serve(self, stop: threading.Event) -> None:
        await_topics(self._settings, (*_INPUTS, FORECAST_SCORES, DRIFT_ALARMS, MODEL_PROMOTIONS), stop, self._tell)
        if not stop.is_set():
            self._loop.run(stop)

    def _tell(self, why: str) -> None:
        self._waiting = why


def main() -> int:
    """Run the service; return its exit code."""
    configure_logging("scoring")
    settings = ScoreSettings()
    tracing.start("scoring", settings.otlp_endpoint)
    stop = stop_on_signals()
    service = ScoringService(settings, stop)
    serve_ops(settings, service.status, service.reasons)
    return service.run()


if __name__ == "__main__":
    sys.exit(main())
