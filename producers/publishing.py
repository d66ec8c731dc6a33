"""Publish what is news of a report: one writer of a symbol at a time, and whoever is away is waited for."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
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
from producers.ledger import PRODUCERS_SOURCE, Ledger
from producers.metrics import LAST_BAR, PUBLISHED, REVISED
from producers.reports import Sound, refuse_readjustment
from producers.settings import ProducerSettings
from producers.symbol_state import SymbolState
from streaming.appending import TRANSACTION_SECONDS, Appender, Overtaken
from streaming.errors import KafkaAway, RegistryAway, StoreAway

log = structlog.get_logger()

IngestProgress = Callable[[str, int, int], None]  # symbol, events queued, events in all
_TOGETHER = 5000  # events that are appended as one: all of them or none
_LOOK = 0.01  # seconds between two looks for what was appended
_PASSING = (KafkaAway, RegistryAway, StoreAway, Overtaken)
_Done = TypeVar("_Done")


class Stopped(Exception):
    """The process was told to stop while it waited for a server."""


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
        stop: threading.Event,
        progress: IngestProgress = lambda *_: None,
    ) -> None:
        self.waiting_for: str | None = None
        self._settings = settings
        self._ledger = ledger
        self._appender = Appender(settings, PRODUCERS_SOURCE, stop, self._wait_for)
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
        """Publish a symbol's news: after all that others have published meanwhile, and only if none did since.

        Raises:
            PublishFailed: Kafka refused events; none of them is there.
            Stopped: told to stop while a server was away.
        """
        self._ledger.follow()
        known = self._ledger.known(state.symbol, state.interval, sound)
        if not self._settings.accept_readjustment:
            refuse_readjustment(state.symbol, known.bars, sound)
        if any(sound.news(known.actions, known.bars)):
            self._patiently(partial(self._append_news, state, sound, now))

    def close(self) -> None:
        """Let go of what was taken to be written."""
        self._appender.close()

    def _wait_for(self, server: str) -> None:
        if server != self.waiting_for:
            log.warning("waiting; nothing is lost", reason=server)
        self.waiting_for = server

    def _append_news(self, state: SymbolState, sound: Sound, now: datetime) -> None:
        """Decide by all that the log holds, and append; whatever is met, the next attempt decides anew."""
        ledger, appender = self._ledger, self._appender
        if not appender.writes(state.symbol):
            appender.take(self._settings.symbols)
        ledger.catch_up()
        known = ledger.known(state.symbol, state.interval, sound)
        announced, closed = sound.news(known.actions, known.bars)
        news: list[CorporateActionAnnounced | BarClosed] = [*announced, *closed]  # no bar goes before its split
        for start in range(0, len(news), _TOGETHER):
            events, number = news[start : start + _TOGETHER], appender.number_of(state.symbol)
            progress = partial(self._tell, state.symbol, start, len(news))
            self._read_back(number, appender.append(events, now, ledger.sequences(number), progress))
            self._tell(state.symbol, start, len(news), len(events))
            self._count(state, events, now)

    def _read_back(self, number: int, ends: Mapping[str, int]) -> None:
        """Wait until what was appended is in the ledger: readers see it a moment after it was accepted."""
        deadline = time.monotonic() + TRANSACTION_SECONDS
        while True:
            self._ledger.catch_up()
            told = self._ledger.sequences(number)
            if all(told[topic] >= end for topic, end in ends.items()):
                return
            if self._stop.wait(_LOOK) or time.monotonic() > deadline:
                self._appender.close()  # who takes over waits for it
                raise KafkaAway("what was appended cannot be read yet")

    def _tell(self, symbol: str, before: int, total: int, count: int) -> None:
        self._progress(symbol, before + count, total)

    def _count(self, state: SymbolState, events: Sequence[BarClosed | CorporateActionAnnounced], now: datetime) -> None:
        for kind, count in Counter(type(event).__name__ for event in events).items():
            PUBLISHED.labels(state.symbol, kind).inc(count)
        for event in events:
            if event.revision:
                kind = type(event).__name__
                REVISED.labels(state.symbol, kind).inc()
                state.revised += 1
                log.info("corrected", symbol=state.symbol, kind=kind, revision=event.revision, event_id=event.event_id)
        log.info("published", symbol=state.symbol, events=len(events), at=now.isoformat())
        closed = [event for event in events if isinstance(event, BarClosed)]
        state.actions += len(events) - len(closed)
        if closed:
            state.published += len(closed)
            for event in closed if state.refusals else ():
                state.refusals.pop(bars.closed_stamp(event), None)
            self._ledger.note(max(closed, key=attrgetter("closed_at")))
            LAST_BAR.labels(state.symbol).set(self._ledger.last[state.symbol, state.interval].timestamp())

    def _patiently(self, act: Callable[[], _Done]) -> _Done:
        """Read or write the log, however long Kafka and the registry take, and however often others come before.

        Raises:
            Stopped: told to stop meanwhile.
        """
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(_PASSING),
                wait=wait_random_exponential(multiplier=0.5, max=5.0),
                stop=stop_when_event_set(self._stop),
                sleep=sleep_using_event(self._stop),
                before_sleep=self._report_wait,
                reraise=True,
            ):
                with attempt:
                    done = act()
        except _PASSING as error:
            raise Stopped from error
        self.waiting_for = None
        return done

    def _report_wait(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Overtaken):
            log.info("overtaken: what is news is decided again", reason=str(error))
            return
        what = "the saved state" if isinstance(error, StoreAway) else "Kafka and the registry"
        self._wait_for(f"{what}: {error}")
