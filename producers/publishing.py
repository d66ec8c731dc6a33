"""Publish what is news of a report: one writer at a time, and whoever is away is waited for."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import TypeVar

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

from contracts.events import BarClosed, CorporateActionAnnounced
from producers import bars
from producers.ledger import Ledger
from producers.metrics import LAST_BAR, PUBLISHED, REVISED
from producers.publish_lock import Stopped, publish_lock
from producers.reports import Sound, refuse_readjustment
from producers.settings import ProducerSettings
from producers.symbol_state import SymbolState
from streaming.errors import KafkaAway, RegistryAway, StoreAway
from streaming.publisher import Publisher, PublishFailed

log = structlog.get_logger()

IngestProgress = Callable[[str, int, int], None]  # symbol, events queued, events in all
_BATCH = 250
_PATIENCE = 2.0  # seconds between two looks at whether we are to stop, while Kafka is away
_Read = TypeVar("_Read")


class NewsPublisher:
    """Publishes the sound part of reports, as far as the log does not hold it.

    Args:
        stop: ends every wait.
        progress: told how far the publishing of a symbol's news is.

    Attributes:
        waiting_for: the server that is waited for now, and why; None: none.
    """

    def __init__(
        self,
        settings: ProducerSettings,
        ledger: Ledger,
        publisher: Publisher,
        stop: threading.Event,
        progress: IngestProgress = lambda *_: None,
    ) -> None:
        self.waiting_for: str | None = None
        self._settings = settings
        self._ledger = ledger
        self._publisher = publisher
        self._stop = stop
        self._progress = progress

    def fold_log(self) -> None:
        """Fold the producers' own state from the log.

        Raises:
            Stopped: told to stop while a server was away.
        """
        events = self._patiently(self._ledger.fold_log)
        log.info("folded the log", events=events, series=len(self._ledger.last))

    def publish(self, state: SymbolState, sound: Sound, now: datetime) -> None:
        """Publish a symbol's news: under the lock, after all that others have published meanwhile.

        Raises:
            PublishFailed: Kafka refused events; `settle` learns which.
            Stopped: told to stop while a server was away.
        """
        ledger = self._ledger
        ledger.follow()
        known = ledger.known(state.symbol, state.interval, sound)
        if not self._settings.accept_readjustment:
            refuse_readjustment(state.symbol, known.bars, sound)
        if not any(sound.news(known.actions, known.bars)):
            return
        with publish_lock(self._settings.home / "publishing.lock", self._stop):
            self._patiently(ledger.catch_up)
            known = ledger.known(state.symbol, state.interval, sound)
            announced, closed = sound.news(known.actions, known.bars)
            total = len(announced) + len(closed)
            self._publish(state, announced, now, 0, total)  # first, so that no bar goes before its split
            self._publish(state, closed, now, len(announced), total)

    def settle(self) -> None:
        """After refused events: let the others arrive, then learn from the log which of them did."""
        while True:
            try:
                self._flush()
                break
            except PublishFailed as error:
                log.error("Kafka refused events", error=str(error))
        self.fold_log()

    def _publish(
        self,
        state: SymbolState,
        events: Sequence[BarClosed | CorporateActionAnnounced],
        now: datetime,
        before: int,
        total: int,
    ) -> None:
        for number, event in enumerate(events, start=before + 1):
            if number % _BATCH == 0:
                self._progress(state.symbol, number, total)
            self._publisher.publish(event, time=now)
        if not events:
            return
        self._flush()
        self._progress(state.symbol, before + len(events), total)
        kind = type(events[0]).__name__
        self._count(state, events, kind)
        log.info("published", symbol=state.symbol, events=len(events), kind=kind, at=now.isoformat())

    def _flush(self) -> None:
        while True:
            try:
                self._publisher.flush(timeout=_PATIENCE)
                self.waiting_for = None
                return
            except KafkaAway as error:
                self.waiting_for = f"Kafka: {error}"
                log.warning("waiting for Kafka; nothing is lost", error=str(error))
                if self._stop.is_set():
                    raise Stopped from error

    def _count(self, state: SymbolState, events: Sequence[BarClosed | CorporateActionAnnounced], kind: str) -> None:
        PUBLISHED.labels(state.symbol, kind).inc(len(events))
        for event in events:
            if event.revision:
                REVISED.labels(state.symbol, kind).inc()
                state.revised += 1
                log.info("corrected", symbol=state.symbol, kind=kind, revision=event.revision, event_id=event.event_id)
        closed = [event for event in events if isinstance(event, BarClosed)]
        state.actions += len(events) - len(closed)
        if closed:
            state.published += len(closed)
            for event in closed if state.refusals else ():
                state.refusals.pop(bars.closed_stamp(event), None)
            self._ledger.note(max(closed, key=attrgetter("closed_at")))
            LAST_BAR.labels(state.symbol).set(self._ledger.last[state.symbol, state.interval].timestamp())

    def _patiently(self, read: Callable[[], _Read]) -> _Read:
        """Read the log, however long Kafka and the registry take.

        Raises:
            Stopped: told to stop meanwhile.
        """
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type((KafkaAway, RegistryAway, StoreAway)),
                wait=wait_random_exponential(multiplier=0.5, max=5.0),
                stop=stop_when_event_set(self._stop),
                sleep=sleep_using_event(self._stop),
                before_sleep=self._report_wait,
                reraise=True,
            ):
                with attempt:
                    found = read()
        except (KafkaAway, RegistryAway, StoreAway) as error:
            raise Stopped from error
        self.waiting_for = None
        return found

    def _report_wait(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        what = "the saved state" if isinstance(error, StoreAway) else "Kafka and the registry"
        self.waiting_for = f"{what}: {error}"
        log.warning(f"waiting for {what}", error=str(error))
