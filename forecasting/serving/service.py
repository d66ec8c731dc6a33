"""Serving: bars come in, every model at work forecasts them, events go out, each exactly once.

State is folded from the log alone: bars and splits from their topics, what was issued from the output topic, how
intervals have held from `forecast-scores`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from contracts.events import BarClosed, CorporateActionAnnounced, ForecastIssued, ForecastScored
from contracts.ids import stamp
from forecasting.data.calendars import SessionUnknown, target_ats
from forecasting.data.recent_bars import SplitHistory, log_event
from forecasting.data.windows import CONTEXT
from forecasting.prometheus import ISSUED, ISSUING
from forecasting.serving.calibration import Calibrations
from forecasting.serving.loaded_models import LoadedModels
from forecasting.serving.pending import IssuedForecasts, PendingForecasts
from forecasting.serving.predicting import BatchPredictor
from forecasting.settings import ServeSettings
from streaming.catching_up import TopicReader
from streaming.clock import Clock
from streaming.publisher import EventOutput
from streaming.records import Batch, Partition


class HasModels(Protocol):
    """Whoever knows the models at work."""

    @property
    def loaded(self) -> LoadedModels: ...


class Serving:
    """Folds the log and issues what is owed; used by the consumer loop's thread and by a ticking one.

    Args:
        actions: the topic of corporate actions.
        issued: the topic that forecasts are published to.
        scores: the topic of what forecasts were worth.
        ends: asks where the partitions of the bars' topic end now; may raise StoreAway.
        stop: when set, what is still owed is left to the next process.
    """

    def __init__(
        self,
        settings: ServeSettings,
        watch: HasModels,
        output: EventOutput,
        clock: Clock,
        actions: TopicReader,
        issued: TopicReader,
        scores: TopicReader,
        ends: Callable[[], Mapping[Partition, int]],
        stop: threading.Event,
    ) -> None:
        self.count = 0
        self.last_origin: datetime | None = None
        self._settings = settings
        self._watcher = watch
        self._output = output
        self._clock = clock
        self._actions, self._issued_log, self._scores = actions, issued, scores
        self._ask_ends = ends
        self._stop = stop
        self._splits = SplitHistory()
        self._calibrations = Calibrations(settings.model_name)
        self._predictor = BatchPredictor(settings, self._splits, self._calibrations)
        self._issued = IssuedForecasts(settings.model_name)
        self._pending = PendingForecasts(self._issued, settings.interval, CONTEXT, self._late)
        self._positions: dict[Partition, int] = {}
        self._ends: dict[Partition, int] = {}  # of assigned partitions of bars, as last asked
        self._assigned: frozenset[Partition] = frozenset()
        self._in_flight: list[ForecastIssued] = []
        self._known_versions: set[str] = set()
        self._lock = threading.Lock()

    def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return where the fold stands; read again what was issued, perhaps by another process."""
        with self._lock:
            self._pending.keep_only(partitions)
            self._assigned, self._ends = frozenset(partitions), {}
            self._positions = {place: self._positions[place] for place in partitions if place in self._positions}
            self._fold_actions()
            for record in self._issued_log.news():
                if isinstance(record.event, ForecastIssued):
                    self._issued.fold(record.event)
            for record in self._scores.news():
                self._calibrations.fold(record)
            for source in (self._actions, self._scores):
                self._positions |= {place: at for place, at in source.positions().items() if place in partitions}
            return dict(self._positions)

    def apply(self, batch: Batch) -> None:
        """Fold a batch, then issue what is owed by it."""
        with self._lock:
            loaded = self._current()
            jumped = False
            for record in batch.records:
                if isinstance(record.event, BarClosed):
                    jumped |= self._pending.fold(record, record.event, loaded.roles)
                elif isinstance(record.event, CorporateActionAnnounced):
                    self._splits.fold(log_event(record.event, record))
                elif isinstance(record.event, ForecastScored):
                    self._calibrations.fold(record)
            self._positions.update(batch.next_offsets)
            if jumped and self._pending.pending:
                self._fold_actions()  # the split that explains it stands in another topic: it may be behind
            self._issue_owed(loaded)

    def tick(self) -> None:
        """Let waiting models begin, and carry out what an outage left undone.

        Raises:
            StoreAway: a server is away; call again later.
        """
        with self._lock:
            loaded = self._current()
            if self._pending.waiting:
                if all(
                    self._positions.get(place, 0) >= end for place, end in self._ends.items()
                ):  # read to the last look
                    self._ends = {place: end for place, end in self._ask_ends().items() if place in self._assigned}
                self._pending.begin(loaded.roles, self._ends, self._positions)
            self._issue_owed(loaded)

    def status(self) -> dict[str, Any]:
        """Return what was done and what is refused."""
        return {
            "forecasts_issued": self.count,
            "last_origin": stamp(self.last_origin) if self.last_origin else None,
            "series": len(self._pending.recent_bars),
            "owed": len(self._pending.pending),
            "refused": {symbol: dict(why) for symbol, why in list(self._predictor.refusals.items()) if why},
        }

    def _current(self) -> LoadedModels:
        """Return the models at work; new versions begin at the newest bars, found by a look later than they came."""
        loaded = self._watcher.loaded
        if new := set(loaded.roles) - self._known_versions:
            self._pending.take_up(new)
            self._ends = {}
        self._known_versions = set(loaded.roles)
        return loaded

    def _fold_actions(self) -> None:
        for record in self._actions.news():
            if isinstance(record.event, CorporateActionAnnounced):
                self._splits.fold(log_event(record.event, record))

    def _late(self, bar: BarClosed) -> bool:
        """Tell whether the session after a bar's had closed when the bar was recorded."""
        try:
            (following,) = target_ats(
                bar.closed_at, 1, interval=bar.interval, exchange=self._settings.exchange_calendar
            )
        except SessionUnknown:
            return True
        return following <= bar.recorded_at

    def _issue_owed(self, loaded: LoadedModels) -> None:
        self._confirm()
        while self._pending.pending and loaded.roles and not self._stop.is_set():
            with ISSUING.time():
                round_ = self._pending.next_round()
                now = self._clock.now()
                causes = {due.series: due.cause for due in round_}
                for forecast in self._predictor.forecasts(round_, loaded, now):
                    if self._issued.has(forecast):
                        continue  # the correction changed nothing that models read
                    cause = causes[forecast.symbol, forecast.interval]
                    self._output.publish(forecast, time=forecast.issued_at, cause=cause)
                    self._in_flight.append(forecast)
                self._pending.done(round_)
                self._confirm()

    def _confirm(self) -> None:
        """Wait until the log has what was published; only then is it issued."""
        if not self._in_flight:
            return
        self._output.flush(self._settings.flush_seconds)
        for forecast in self._in_flight:
            self._issued.fold(forecast)
            ISSUED.labels(forecast.model.family, forecast.model.role).inc()
        self.count += len(self._in_flight)
        self.last_origin = max(forecast.origin for forecast in self._in_flight)
        self._in_flight = []
