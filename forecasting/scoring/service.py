"""Scoring: when a bar closes, every forecast that spoke of it is scored, each step once a revision.

What the scores add up to is watched: an alarm goes out where a version, or the market, drifts.
"""

import threading
from collections.abc import Sequence
from datetime import datetime
from math import log as ln
from typing import Any

import structlog

from contracts.actions import newest_splits, split_factor
from contracts.events import (
    BarClosed,
    CorporateActionAnnounced,
    DriftDetected,
    ForecastIssued,
    ForecastScored,
    ModelPromoted,
)
from contracts.parts import SettlingBar
from contracts.topics import STOCK_DATA, STOCK_FORECASTS
from forecasting.data.calendars import session_of
from forecasting.data.recent_bars import SPLIT_LIKE, LogEvent, SeriesKey, SplitHistory, log_event
from forecasting.prometheus import DRIFTING, OPEN, SCORED
from forecasting.scoring.drift import MEASURES, Drifts, alarm_event, by_measure
from forecasting.scoring.scores import ErrorScale, error_scale, score_step
from forecasting.scoring.settlements import OpenForecast, Settlement, Settlements
from forecasting.settings import ScoreSettings
from streaming.catching_up import TopicReader
from streaming.clock import Clock
from streaming.publisher import EventOutput
from streaming.records import Batch, Partition, Record

log = structlog.get_logger()


class Scoring:
    """Folds the log and scores what is due; a sink of the consumer loop.

    Args:
        actions, promotions, forecasts, scores, alarms: those topics; the last two are this service's own output.
    """

    def __init__(
        self,
        settings: ScoreSettings,
        output: EventOutput,
        clock: Clock,
        *,
        actions: TopicReader,
        promotions: TopicReader,
        forecasts: TopicReader,
        scores: TopicReader,
        alarms: TopicReader,
    ) -> None:
        self.count = 0
        self.unscorable: dict[str, str] = {}  # forecast -> why
        self._settings = settings
        self._output = output
        self._clock = clock
        self._actions, self._promotions = actions, promotions
        self._forecasts, self._scores, self._alarms = forecasts, scores, alarms
        self._trainings: dict[str, dict[Partition, int]] = {}  # by version: the last offset of bars that it saw
        self._seen: dict[tuple[str, SeriesKey], datetime] = {}  # and the close of the last of them
        self._drifts = Drifts(settings.model_name)
        self._splits = SplitHistory()
        self._settlements = Settlements()
        self._positions: dict[Partition, int] = {}
        self._in_flight: list[ForecastScored] = []
        self._lock = threading.Lock()

    def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return where the fold stands; read again what was forecast and scored, perhaps by another process.

        Forecasts are folded before bars, so that each is settled as its bars pass by.
        """
        with self._lock:
            self._settlements.keep_only(partitions)
            self._positions = {place: self._positions[place] for place in partitions if place in self._positions}
            for source in (self._actions, self._promotions, self._forecasts, self._scores, self._alarms):
                for record in source.news():
                    self._fold(record)
                self._positions |= {place: at for place, at in source.positions().items() if place in partitions}
            self._confirm()
            self._score_due()
            return dict(self._positions)

    def apply(self, batch: Batch) -> None:
        """Fold a batch, then score what it settles."""
        with self._lock:
            for record in batch.records:
                self._fold(record)
            self._positions.update(batch.next_offsets)
            self._confirm()
            self._score_due()
            self._watch_drift()
            OPEN.set(self._settlements.open)

    def status(self) -> dict[str, Any]:
        """Return what was done and what is open."""
        return {
            "steps_scored": self.count,
            "steps_open": self._settlements.open,
            "steps_overdue": self._settlements.overdue(),
            "drifting": by_measure(self._drifts.raised),
            "unscorable": dict(list(self.unscorable.items())[-20:]),
        }

    def _fold(self, record: Record) -> None:
        match record.event:
            case BarClosed() as bar:
                self._settlements.fold_bar(log_event(bar, record))
            case ForecastIssued() as forecast:
                if not self._settlements.fold_forecast(forecast):
                    where = f"{STOCK_FORECASTS.name}[{record.partition}]@{record.offset}"
                    self._pass_over(forecast.forecast_id, f"{where} lacks the quantiles or inputs that scores need")
            case CorporateActionAnnounced() as action:
                self._splits.fold(log_event(action, record))
            case ForecastScored() as scored:
                self._settlements.fold_score(scored)
                self._drifts.fold_score(scored)
            case ModelPromoted() as promoted if promoted.model_name == self._settings.model_name:
                self._trainings[promoted.version] = {
                    (part.topic, part.partition): part.to_offset
                    for part in promoted.training.inputs
                    if part.topic == STOCK_DATA.name
                }
            case DriftDetected() as told:
                self._drifts.fold_alarm(told)

    def _score_due(self) -> None:
        due = self._settlements.take()
        if not due:
            return
        if any(map(self._looks_split, due)):
            for record in self._actions.news():  # the split that explains it stands in another topic
                self._fold(record)
        if any(settlement.standing.model.version not in self._trainings for settlement in due):
            for record in self._promotions.news():
                self._fold(record)
        now = self._clock.now()
        for settlement in due:
            if scored := self._scored(settlement, now):
                self._output.publish(scored, time=scored.recorded_at, cause=_cause(settlement))
                self._in_flight.append(scored)
        self._settlements.pending.clear()
        self._confirm()

    def _confirm(self) -> None:
        """Wait until the log has what was published; only then is it scored."""
        if not self._in_flight:
            return
        self._output.flush(self._settings.flush_seconds)
        for scored in self._in_flight:
            self._settlements.fold_score(scored)
            self._drifts.fold_score(scored)
            SCORED.labels(scored.family, str(scored.step)).inc()
        self.count += len(self._in_flight)
        self._in_flight = []

    def _watch_drift(self) -> None:
        """Publish the alarms that are due; one that was not acknowledged is judged again with the next session."""
        if turns := self._drifts.due():
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

    def _looks_split(self, settlement: Settlement) -> bool:
        read = self._settlements.input_of(settlement.standing)
        return bool(read) and abs(ln(settlement.bar.event.close / read[-1].close)) > SPLIT_LIKE

    def _scored(self, settlement: Settlement, now: datetime) -> ForecastScored | None:
        standing, bar = settlement.standing, settlement.bar
        measured = standing.measured or self._measure(standing)
        if measured is None:
            return None
        standing.measured = measured
        exchange = self._settings.exchange_calendar
        origin, target = session_of(standing.origin, exchange), session_of(bar.event.closed_at, exchange)
        splits = self._splits.between(standing.series[0], origin, target)
        factor = split_factor(newest_splits(split.event.to_record() for split in splits), origin, target)
        place = SettlingBar(
            closed_at=bar.event.closed_at,
            revision=bar.event.revision,
            topic=bar.topic,
            partition=bar.partition,
            offset=bar.offset,
        )
        return score_step(
            standing.claim(settlement.index),
            bar.event,
            place,
            measured,
            factor,
            now,
            naive=self._settlements.naive_beside(standing, settlement.index),
            trained_until=self._trained_until(standing, bar),
        )

    def _trained_until(self, standing: OpenForecast, bar: LogEvent[BarClosed]) -> datetime | None:
        """Return the close of the last bar of a forecast's series that its version's training saw.

        Whatever whoever issued it says, the decision that promoted the version names the offsets.
        """
        version, place = standing.model.version, (bar.topic, bar.partition)
        saw = self._trainings.get(version, {}).get(place)
        seen = self._seen.get((version, standing.series))
        if saw is not None and seen is None:
            seen = self._settlements.last_seen(standing.series, saw)
            if seen is not None and self._positions.get(place, 0) > saw:
                self._seen[version, standing.series] = seen  # no bar to come changes it
        return max(filter(None, (seen, standing.trained_until)), default=None)

    def _measure(self, standing: OpenForecast) -> ErrorScale | None:
        """Measure what a forecast read; None if the log as folded here does not hold it."""
        bars = self._settlements.input_of(standing)
        if len(bars) < standing.input_bars or not bars or bars[-1].closed_at != standing.origin:
            self._pass_over(
                standing.forecast_id, f"{len(bars)} of the {standing.input_bars} bars that it read are known here"
            )
            return None
        sessions = [session_of(bar.closed_at, self._settings.exchange_calendar) for bar in bars]
        splits = self._splits.between(standing.series[0], sessions[0], sessions[-1])
        return error_scale(
            [bar.close for bar in bars], sessions, newest_splits(split.event.to_record() for split in splits)
        )

    def _pass_over(self, forecast_id: str, why: str) -> None:
        if forecast_id not in self.unscorable:
            log.warning("a forecast cannot be scored", forecast_id=forecast_id, reason=why)
        self.unscorable[forecast_id] = why


def _cause(settlement: Settlement) -> Record:
    """Return the bar's record, with the header by which an effect names its cause."""
    bar = settlement.bar
    return Record(
        event=bar.event,
        topic=bar.topic,
        partition=bar.partition,
        offset=bar.offset,
        timestamp=bar.event.recorded_at,
        key=bar.event.key,
        headers={"ce_id": bar.event.event_id},
        schema_id=bar.schema_id,
    )
