"""Scoring: when a bar closes, every forecast that spoke of it is scored, each step once a revision.

What the scores add up to is watched: an alarm goes out where a version, or the market, drifts.  What is folded of the
log is saved; bars and forecasts whose scores may be missing are read again.
"""

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import log as ln
from typing import Any

import structlog

from contracts.actions import split_factor
from contracts.events import BarClosed, DriftDetected, ForecastIssued, ForecastScored, ModelPromoted
from contracts.topics import CORPORATE_ACTIONS, FORECAST_SCORES, STOCK_DATA, STOCK_FORECASTS
from forecasting.data.bar_table import SPLIT_LIKE, PlacedBar, SeriesKey
from forecasting.data.calendars import session_of
from forecasting.prometheus import DRIFTING, OPEN, SCORED
from forecasting.scoring.drift import MEASURES, Drifts, alarm_event, by_measure
from forecasting.scoring.forecast_table import StandingForecast, can_be_scored
from forecasting.scoring.scores import ErrorScale, error_scale, score_step
from forecasting.scoring.settlements import Settlement, Settlements
from forecasting.scoring.state import ScoringPart
from forecasting.settings import ScoreSettings
from streaming.catching_up import TopicReader
from streaming.clock import Clock
from streaming.codec import utc
from streaming.publisher import EventOutput
from streaming.records import Batch, Partition, Record
from streaming.saved_state import SavedState

log = structlog.get_logger()

_READ_BACK = 5000  # scores of our own, after which they are read from the log, so that a start has few to read
_REMEMBERED = 20_000  # yardsticks of forecasts, and reasons why one is not scored


class Scoring:
    """Folds the log and scores what is due; a sink of the consumer loop.

    Args:
        state: what is folded of the log, saved with its position.
        promotions, alarms: those topics; the second is this service's own output, and so are the scores.
    """

    def __init__(
        self,
        settings: ScoreSettings,
        output: EventOutput,
        clock: Clock,
        state: SavedState[ScoringPart],
        *,
        promotions: TopicReader,
        alarms: TopicReader,
    ) -> None:
        self.count = 0
        self.unscorable: dict[str, str] = {}  # forecast -> why
        self._settings = settings
        self._output = output
        self._clock = clock
        self._state = state
        self._promotions, self._alarms = promotions, alarms
        self._trainings: dict[str, dict[Partition, int]] = {}  # by version: the last offset of bars that it saw
        self._seen: dict[tuple[str, SeriesKey], datetime] = {}  # and the close of the last of them
        self._yardsticks: dict[tuple[SeriesKey, datetime, int, int], ErrorScale] = {}
        self._drifts = Drifts(settings.model_name)
        self._settlements = Settlements(state.parts, {})
        self._open = (0, 0)  # steps that no bar has scored, and those that a later bar has passed by
        self._positions: dict[Partition, int] = {}  # of assigned partitions of bars and forecasts
        self._in_flight: list[tuple[int, ForecastScored]] = []  # with their partition numbers
        self._unread = 0  # scores of our own that the saved position has not come to
        self._lock = threading.Lock()

    def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return where the fold stands; read again what was scored, perhaps by another process."""
        with self._lock:
            self._confirm()
            self._state.take({number for _, number in partitions})
            self._state.catch_up((CORPORATE_ACTIONS, FORECAST_SCORES))
            self._unread = 0
            for source in (self._promotions, self._alarms):
                self._take_note(source.news())
            acted = self._state.acted(STOCK_DATA) | self._state.acted(STOCK_FORECASTS)
            self._positions = {place: at for place, at in acted.items() if place in partitions}
            self._settlements = Settlements(self._state.parts, self._positions)
            self._count_open()
            known = self._state.positions() | self._positions
            return {place: known[place] for place in partitions}

    def apply(self, batch: Batch) -> None:
        """Fold a batch, then score what it settles."""
        with self._lock:
            self._confirm()
            self._state.fold(batch.records)
            for record in batch.records:
                match record.event:
                    case BarClosed() as bar:
                        self._settlements.take_bar(record, bar)
                    case ForecastIssued() as forecast if can_be_scored(forecast):
                        self._settlements.take_forecast(record, forecast)
                    case ForecastIssued() as forecast:
                        where = f"{STOCK_FORECASTS.name}[{record.partition}]@{record.offset}"
                        self._pass_over(forecast.forecast_id, f"{where} lacks the quantiles or inputs that scores need")
            self._positions |= {place: at for place, at in batch.next_offsets.items() if place in self._positions}
            self._score_due()
            self._state.act(self._positions)
            self._watch_drift()
            if self._open[0] or any(isinstance(record.event, ForecastIssued) for record in batch.records):
                self._count_open()
            if self._unread >= _READ_BACK:
                self._state.catch_up((FORECAST_SCORES,))
                self._unread = 0

    def status(self) -> dict[str, Any]:
        """Return what was done and what is open."""
        steps, passed = self._open
        return {
            "steps_scored": self.count,
            "steps_open": steps,
            "steps_overdue": passed,
            "drifting": by_measure(self._drifts.raised),
            "unscorable": dict(list(self.unscorable.items())[-20:]),
        }

    def _take_note(self, records: Iterable[Record]) -> None:
        for record in records:
            match record.event:
                case ModelPromoted() as promoted if promoted.model_name == self._settings.model_name:
                    self._trainings[promoted.version] = {
                        (part.topic, part.partition): part.to_offset
                        for part in promoted.training.inputs
                        if part.topic == STOCK_DATA.name
                    }
                case DriftDetected() as told:
                    self._drifts.fold_alarm(told)

    def _score_due(self) -> None:
        due = self._settlements.due()
        if not due:
            return
        if any(map(self._looks_split, due)):
            self._state.catch_up((CORPORATE_ACTIONS,))  # the split that explains it stands there: it may be behind
        if any(settlement.standing.model.version not in self._trainings for settlement in due):
            self._take_note(self._promotions.news())
        now = self._clock.now()
        for settlement in due:
            if scored := self._scored(settlement, now):
                self._output.publish(scored, time=scored.recorded_at, cause=settlement.bar)
                self._in_flight.append((settlement.bar.partition, scored))
        self._settlements.clear()
        self._confirm()

    def _confirm(self) -> None:
        """Wait until the log has what was published; only then is it scored."""
        if not self._in_flight:
            return
        self._output.flush(self._settings.flush_seconds)
        for number in {number for number, _ in self._in_flight}:
            with self._state.writing(number) as part:
                for scored in (scored for at, scored in self._in_flight if at == number):
                    part.fold_score(scored)
        for _, scored in self._in_flight:
            SCORED.labels(scored.family, str(scored.step)).inc()
        self.count += len(self._in_flight)
        self._unread += len(self._in_flight)
        self._in_flight = []

    def _watch_drift(self) -> None:
        """Publish the alarms that are due; one that was not acknowledged is judged again with the next session."""
        if turns := self._drifts.due([part.drift for part in self._state.parts.values()]):
            now = self._clock.now()
            alarms = [alarm_event(turn, self._settings.model_name, now) for turn in turns]
            for each in alarms:
                self._output.publish(each, time=now)
            self._output.flush(self._settings.flush_seconds)
            for each in alarms:
                self._drifts.fold_alarm(each)
                log.warning("drift", measure=each.measure, state=each.state, reason=each.reason)
        counts = by_measure(self._drifts.raised)
        for measure in MEASURES:
            DRIFTING.labels(measure).set(counts.get(measure, 0))

    def _count_open(self) -> None:
        self._open = self._settlements.counts()
        OPEN.set(self._open[0])

    def _looks_split(self, settlement: Settlement) -> bool:
        standing, bars = settlement.standing, self._state.parts[settlement.bar.partition].bars
        closes = bars.window(standing.series, standing.read_until, 1, standing.origin).close
        return bool(closes) and abs(ln(settlement.bar.close / closes[-1])) > SPLIT_LIKE

    def _scored(self, settlement: Settlement, now: datetime) -> ForecastScored | None:
        standing, bar = settlement.standing, settlement.bar
        measured = self._measured(standing, bar.partition)
        if measured is None:
            return None
        exchange = self._settings.exchange_calendar
        origin, target = session_of(standing.origin, exchange), session_of(bar.closed_at, exchange)
        splits = self._state.parts[bar.partition].splits.between(standing.series[0], origin, target)
        factor = split_factor([known.split for known in splits], origin, target)
        beside = settlement.naive
        return score_step(
            standing.claim(settlement.index),
            bar,
            measured,
            factor,
            now,
            naive=beside.claim(settlement.index) if beside and settlement.index < len(beside.targets) else None,
            trained_until=self._trained_until(standing, bar),
        )

    def _trained_until(self, standing: StandingForecast, bar: PlacedBar) -> datetime | None:
        """Return the close of the last bar of a forecast's series that its version's training saw.

        Whatever whoever issued it says, the decision that promoted the version names the offsets.
        """
        version, place = standing.model.version, (STOCK_DATA.name, bar.partition)
        saw = self._trainings.get(version, {}).get(place)
        seen = self._seen.get((version, standing.series))
        if saw is not None and seen is None:
            last = self._state.parts[bar.partition].bars.last(standing.series, saw)
            seen = last.closed_at if last else None
            if seen is not None and self._positions.get(place, 0) > saw:
                _remember(self._seen, (version, standing.series), seen)  # no bar to come changes it
        return max(filter(None, (seen, standing.trained_until)), default=None)

    def _measured(self, standing: StandingForecast, partition: int) -> ErrorScale | None:
        """Measure what a forecast read; None if the log as folded here does not hold it."""
        key = (standing.series, standing.origin, standing.read_until, standing.input_bars)
        if key in self._yardsticks:
            return self._yardsticks[key]
        part = self._state.parts[partition]
        read = part.bars.window(standing.series, standing.read_until, standing.input_bars, standing.origin)
        count = len(read.close)
        if not count or count < standing.input_bars or utc(read.closed_at[-1]) != standing.origin:
            why = f"{count} of the {standing.input_bars} bars that it read are known here"
            self._pass_over(standing.forecast_id, why)
            return None
        sessions = [session_of(utc(at), self._settings.exchange_calendar) for at in read.closed_at]
        splits = part.splits.between(standing.series[0], sessions[0], sessions[-1])
        measured = error_scale(read.close, sessions, [known.split for known in splits])
        _remember(self._yardsticks, key, measured)
        return measured

    def _pass_over(self, forecast_id: str, why: str) -> None:
        if forecast_id not in self.unscorable:
            log.warning("a forecast cannot be scored", forecast_id=forecast_id, reason=why)
        _remember(self.unscorable, forecast_id, why)


def _remember(held: dict[Any, Any], key: object, value: object) -> None:
    """Hold a value, and of all at most so many: the oldest goes."""
    held[key] = value
    if len(held) > _REMEMBERED:
        del held[next(iter(held))]
