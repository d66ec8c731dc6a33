"""`python -m forecasting.serving.main`: forecast every new bar, and answer `/invocations`, until stopped."""

import os
import socket
import sys
import threading
from functools import partial

import structlog
import uvicorn

from contracts.topics import CORPORATE_ACTIONS, FORECAST_SCORES, MODEL_PROMOTIONS, STOCK_DATA, STOCK_FORECASTS
from forecasting.modelstore.registry import ModelRegistry
from forecasting.serving.app import create_serving_app
from forecasting.serving.loaded_models import ModelWatcher
from forecasting.serving.service import Serving
from forecasting.serving.state import serving_state
from forecasting.settings import ServeSettings
from streaming.admin import await_topics
from streaming.catching_up import KafkaLog, end_offsets
from streaming.clock import clock_from
from streaming.errors import ServerAway
from streaming.loop import Loop
from streaming.operations import configure_logging, stop_on_signals
from streaming.publisher import Publisher
from streaming.serving import Guarded, listen, serving
from streaming.threads import Threads
from streaming.tracing import tracing

log = structlog.get_logger()

_INPUTS = (STOCK_DATA, CORPORATE_ACTIONS, FORECAST_SCORES)
_END_SECONDS = 30.0


class ServingService:
    """Wires serving to Kafka, MLflow and HTTP."""

    def __init__(self, settings: ServeSettings, stop: threading.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._waiting = "starting"
        self._paused = ""
        self._threads = Threads(stop)
        self._watcher = ModelWatcher(settings, ModelRegistry(settings))
        self._serving = Serving(
            settings,
            self._watcher,
            Publisher(settings, "/foretick/forecasting", stop),
            clock_from(settings),
            serving_state(settings, KafkaLog(settings)),
            ends=partial(end_offsets, settings, STOCK_DATA),
            stop=stop,
        )
        self._loop = Loop(settings, "foretick.forecasting", _INPUTS, self._serving, buries=())

    def run(self, listener: socket.socket) -> int:
        """Run until told to stop; return the exit code."""
        app = create_serving_app(lambda: self._watcher.loaded, self.status, self.reasons)
        server = uvicorn.Server(serving(Guarded(app, self._settings.hosts)))
        web = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
        web.start()
        self._threads.start("models", self._watcher.run)
        self._threads.start("serving", self._serve)
        self._threads.start("ticking", self._tick)
        code = self._threads.end(_END_SECONDS)
        server.should_exit = True
        web.join(5)
        return code

    def status(self) -> dict[str, object]:
        """Return what the service is doing."""
        return {
            **self._serving.status(),
            "models": {
                alias: f"{model.family} {model.version}" for alias, model in self._watcher.loaded.models.items()
            },
            "versions_that_do_not_load": self._watcher.failures,
            "lag": self._loop.state.lag,
            "caught_up": self._loop.state.caught_up,
            "waiting": self.reasons(),
        }

    def reasons(self) -> list[str]:
        """Return why the service is not doing its work now; empty when it is."""
        log_away = self._waiting or self._loop.state.waiting_for or self._paused
        # While models are at work, an MLflow that is away delays nothing but the next one.
        models = (
            "" if self._watcher.loaded.champion else self._watcher.waiting_for or "no model is loaded yet: no champion"
        )
        return [reason for reason in (models, log_away, *self._threads.failed) if reason]

    def _serve(self, stop: threading.Event) -> None:
        await_topics(self._settings, (*_INPUTS, STOCK_FORECASTS, MODEL_PROMOTIONS), stop, self._tell)
        # All models first: bars that came while this was down are caught up by each from where it stood.
        while not stop.is_set() and not self._watcher.complete:
            stop.wait(0.1)
        if not stop.is_set():
            self._loop.run(stop)

    def _tick(self, stop: threading.Event) -> None:
        while not stop.wait(self._settings.tick_seconds):
            try:
                self._serving.tick()
            except ServerAway as error:
                if not self._paused:
                    log.warning("paused", reason=str(error))
                self._paused = str(error)
            else:
                self._paused = ""

    def _tell(self, why: str) -> None:
        self._waiting = why


def main() -> int:
    """Run the service; return its exit code."""
    configure_logging("forecasting")
    # One thread a model call: a batch takes milliseconds, and the machine has other work. Read when TensorFlow starts.
    for name, value in {
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }.items():
        os.environ.setdefault(name, value)
    settings = ServeSettings()
    tracing.start("forecasting", settings.otlp_endpoint)
    try:
        listener = listen(settings.forecasting_host, settings.forecasting_port)
    except OSError as error:
        log.error("cannot listen", host=settings.forecasting_host, port=settings.forecasting_port, error=str(error))
        return 1
    stop = stop_on_signals()
    log.info("forecasting starts", url=f"http://{settings.forecasting_host}:{listener.getsockname()[1]}")
    code = ServingService(settings, stop).run(listener)
    log.info("forecasting has ended", code=code)
    return code


if __name__ == "__main__":
    sys.exit(main())
