"""Serving: bars come in, every model at work forecasts them, events go out, each exactly once.

State is folded from the log alone: bars and splits from their topics, what was issued from the output topic, how
intervals have held from `forecast-scores`.  It is saved; bars whose forecasts may be missing are read again.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from contracts.events import BarClosed, ForecastIssued
from contracts.ids import stamp
from contracts.topics import CORPORATE_ACTIONS, FORECAST_SCORES, STOCK_DATA, STOCK_FORECASTS
from forecasting.data.calendars import SessionUnknown, target_ats
from forecasting.data.windows import CONTEXT
from forecasting.prometheus import ISSUED, ISSUING
from forecasting.serving.loaded_models import LoadedModels
from forecasting.serving.pending import PendingForecasts
from forecasting.serving.predicting import BatchPredictor
from forecasting.serving.state import ServingPart
from forecasting.settings import ServeSettings
from streaming.clock import Clock
from streaming.publisher import EventOutput
from streaming.records import Batch, Partition
from streaming.saved_state import SavedState

_READ_BACK = 2000  # forecasts of our own, after which they are read from the log, so that a start has few to read


class HasModels(Protocol):
    """Whoever knows the models at work."""

    @property
    def loaded(self) -> LoadedModels: ...


class Serving:
    """Folds the log and issues what is owed; used by the consumer loop's thread and by a ticking one.

    Args:
        state: what is folded of the log, saved with its position.
        ends: asks where the partitions of the bars' topic end now; may raise StoreAway.
        stop: when set, what is still owed is left to the next process.
    """

    def __init__(
        self,
        settings: ServeSettings,
        watch: HasModels,
        output: EventOutput,
        clock: Clock,
        state: SavedState[ServingPart],
        ends: Callable[[], Mapping[Partition, int]],
        stop: threading.Event,
    ) -> None:
        self.count = 0
        self.last_origin: datetime | None = None
        self._settings = settings
        self._watcher = watch
        self._output = output
        self._clock = clock
        self._state = state
        self._ask_ends = ends
        self._stop = stop
        self._following = lru_cache(16)(self._next_close)  # of symbols that close together it is one
        self._predictor = BatchPredictor(settings, state.parts)
        self._in_flight: list[tuple[int, ForecastIssued]] = []  # with their partition numbers
        self._positions: dict[Partition, int]  # of assigned partitions of bars
        self._ends: dict[Partition, int]  # of the same, as last asked
        self._known_versions: set[str]
        self._unread: int  # forecasts of our own that the saved position has not come to
        self._stand_at({})
        self._lock = threading.Lock()

    def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return where the fold stands; read again what was issued, perhaps by another process."""
        with self._lock:
            self._confirm()
            self._stand_at({})  # ticks go on meanwhile, and find nothing to do
            self._state.take({number for _, number in partitions})
            self._state.catch_up((CORPORATE_ACTIONS, STOCK_FORECASTS, FORECAST_SCORES))
            acted = self._state.acted(STOCK_DATA)
            self._stand_at({place: at for place, at in acted.items() if place in partitions})
            known = self._state.positions() | self._positions
            return {place: known[place] for place in partitions}

    def apply(self, batch: Batch) -> None:
        """Fold a batch, then issue what is owed by it."""
        with self._lock:
            loaded = self._current()
            self._state.fold(batch.records)
            for record in batch.records:
                if isinstance(record.event, BarClosed):
                    self._pending.fold(record, record.event, loaded.roles)
            for place, offset in batch.next_offsets.items():
                if place in self._positions:
                    self._positions[place] = offset
            self._issue_owed(loaded)

    def tick(self) -> None:
        """Let waiting models begin, and carry out what an outage left undone.

        Raises:
            StoreAway: a server is away; call again later.
        """
        with self._lock:
            loaded = self._current()
            if self._pending.waiting:
                if all(self._positions[place] >= end for place, end in self._ends.items()):  # read to the last look
                    self._ends = {place: end for place, end in self._ask_ends().items() if place in self._positions}
                self._pending.begin(loaded.roles, self._ends, self._positions)
            self._issue_owed(loaded)
            if self._unread >= _READ_BACK:
                self._state.catch_up((STOCK_FORECASTS,))
                self._unread = 0

    def status(self) -> dict[str, Any]:
        """Return what was done and what is refused."""
        return {
            "forecasts_issued": self.count,
            "last_origin": stamp(self.last_origin) if self.last_origin else None,
            "series": len(self._pending.newest),
            "owed": len(self._pending.pending),
            "refused": {symbol: dict(why) for symbol, why in list(self._predictor.refusals.items()) if why},
        }

    def _stand_at(self, positions: dict[Partition, int]) -> None:
        """Go on from these offsets of bars: of what is before them, all that was owed was issued."""
        self._positions, self._ends, self._known_versions, self._unread = positions, {}, set(), 0
        interval = self._settings.interval
        self._pending = PendingForecasts(self._state.parts, positions, interval, CONTEXT, self._late)

    def _current(self) -> LoadedModels:
        """Return the models at work; new versions begin at the newest bars, found by a look later than they came."""
        loaded = self._watcher.loaded
        if new := set(loaded.roles) - self._known_versions:
            self._pending.take_up(new)
            self._ends = {}
        self._known_versions = set(loaded.roles)
        return loaded

    def _late(self, bar: BarClosed) -> bool:
        """Tell whether the session after a bar's had closed when the bar was recorded."""
        following = self._following(bar.closed_at, bar.interval)
        return following is None or following <= bar.recorded_at

    def _next_close(self, closed_at: datetime, interval: str) -> datetime | None:
        """Return when the session after a bar's closes; None where the calendar does not say."""
        try:
            return target_ats(closed_at, 1, interval=interval, exchange=self._settings.exchange_calendar)[0]
        except SessionUnknown:
            return None

    def _issue_owed(self, loaded: LoadedModels) -> None:
        self._confirm()
        if self._pending.jumped:
            self._state.catch_up((CORPORATE_ACTIONS,))  # the split that explains it stands there: it may be behind
            self._pending.jumped = False
        while self._pending.pending and loaded.roles and not self._stop.is_set():
            with ISSUING.time():
                round_ = self._pending.next_round()
                now = self._clock.now()
                causes = {due.series: due.cause for due in round_}
                for forecast in self._predictor.forecasts(round_, loaded, now):
                    cause = causes[forecast.symbol, forecast.interval]
                    if self._state.parts[cause.partition].issued.has(forecast):
                        continue  # the correction changed nothing that models read
                    self._output.publish(forecast, time=forecast.issued_at, cause=cause)
                    self._in_flight.append((cause.partition, forecast))
                self._pending.done(round_)
                self._confirm()
        self._state.act(self._pending.acted(self._positions))

    def _confirm(self) -> None:
        """Wait until the log has what was published; only then is it issued."""
        if not self._in_flight:
            return
        self._output.flush(self._settings.flush_seconds)
        for number in {number for number, _ in self._in_flight}:
            with self._state.writing(number) as part:
                for forecast in (forecast for at, forecast in self._in_flight if at == number):
                    part.issued.fold(forecast)
        for _, forecast in self._in_flight:
            ISSUED.labels(forecast.model.family, forecast.model.role).inc()
        self.count += len(self._in_flight)
        self._unread += len(self._in_flight)
        self.last_origin = max(forecast.origin for _, forecast in self._in_flight)
        self._in_flight = []
