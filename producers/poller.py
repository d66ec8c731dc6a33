"""Ask the vendor, decide what is news, publish it: symbol after symbol, whoever is away."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
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
from contracts.ids import stamp
from producers import bars
from producers.catalogue import period_of
from producers.ledger import Ledger, OwnUnreadable
from producers.metrics import LAST_BAR, PUBLISHED, REFUSED, REVISED
from producers.publish_lock import Stopped, publish_lock
from producers.reports import judge_report, refuse_readjustment
from producers.sessions import calendar_of
from producers.settings import ProducerSettings
from producers.sources.base import Report, Source, VendorDown, VendorRefused, WrongSetting
from producers.symbol_state import SymbolState
from streaming.clock import Clock
from streaming.publisher import KafkaAway, Publisher, PublishFailed
from streaming.reader import LogAway
from streaming.registry import RegistryAway

log = structlog.get_logger()

IngestProgress = Callable[[str, int, int], None]  # symbol, events queued, events in all
_BATCH = 250
_PATIENCE = 2.0  # seconds between two looks at whether we are to stop, while Kafka is away
_Taken = TypeVar("_Taken")


class Poller:
    """Polls each symbol.  The first look reads its whole history, later ones the newest sessions and what is due.

    Args:
        stop: ends every wait.
        progress: told how far the publishing of a symbol's news is.
    """

    def __init__(
        self,
        settings: ProducerSettings,
        source: Source,
        ledger: Ledger,
        publisher: Publisher,
        clock: Clock,
        stop: threading.Event,
        progress: IngestProgress = lambda *_: None,
    ) -> None:
        self._settings = settings
        self._source = source
        self._ledger = ledger
        self._publisher = publisher
        self._clock = clock
        self._stop = stop
        self._progress = progress
        self._period = period_of(settings)
        self._waiting_for: str | None = None
        self._stopped: WrongSetting | None = None
        self.watches = [SymbolState(symbol, settings.interval) for symbol in settings.symbols]

    def run(self) -> None:
        """Fold the log, then poll until stopped.

        Raises:
            Stopped: told to stop while a server was away.
        """
        self._fold_log()
        while not self._stop.is_set():
            for watch in self.watches:
                if watch.next_at <= time.monotonic() and not self._stop.is_set():
                    self.poll(watch)
            soonest = min(watch.next_at for watch in self.watches)
            self._stop.wait(None if self._stopped else max(0.0, soonest - time.monotonic()))

    def poll(self, watch: SymbolState, since: datetime | None = None) -> None:
        """Look at one symbol and publish what is news; a failure is reported and tried again later.

        Once a setting has turned out to be wrong, the vendor is not asked again, for no symbol: each request would be
        refused, and would be spent.

        Args:
            since: read from here on, whatever was read before.

        Raises:
            Stopped: told to stop while Kafka was away.
        """
        if self._stopped:
            self._failed(watch, str(self._stopped), refused=True)
            return
        began = time.monotonic()
        full = since is None and began >= watch.full_at
        try:
            since = since or (None if full else self._since(watch))
            report = self._source.fetch(watch.symbol, watch.interval, since)
            self._take(watch, report, since, self._clock.now())
        except WrongSetting as error:
            self._stopped = error
            self._waiting_for = f"a setting to be mended, and a new start: {error}"
            log.error("the source has stopped", error=str(error))
            for each in self.watches:
                self._failed(each, str(error), refused=True)
        except (VendorDown, VendorRefused) as error:
            self._failed(watch, str(error), isinstance(error, VendorRefused), getattr(error, "retry_after", None))
        except httpx.HTTPError as error:
            self._failed(watch, f"the clock does not answer: {type(error).__name__}: {error}")
        except PublishFailed as error:
            self._failed(watch, f"Kafka refused events: {error}")
            self._settle()
        except OwnUnreadable as error:
            self._failed(watch, str(error))
            self._fold_log()  # waits until that is settled
        else:
            if full:
                watch.full_at = began + max(self._settings.full_read_seconds, self._period)
            if watch.error:
                log.info("the vendor answers again", symbol=watch.symbol, failures=watch.failures)
            watch.succeeded(began, self._period)

    def reasons(self) -> list[str]:
        """Return why the producers are not ready: what has not been looked at yet, and whom they wait for."""
        why = [f"waiting for {self._waiting_for}"] if self._waiting_for else []
        for watch in self.watches:
            if not watch.answers:
                why.append(f"{watch.symbol} has not been read yet" + (f": {watch.error}" if watch.error else ""))
        return why

    def status(self) -> dict[str, Any]:
        """Return what /status tells."""
        now = time.monotonic()
        place = self._ledger.last
        return {
            "service": "producers",
            "source": self._source.name,
            "interval": self._settings.interval,
            "period_seconds": round(self._period, 1),
            "waiting_for": self._waiting_for,
            "market": self._market(),
            "symbols": [watch.status(place.get((watch.symbol, watch.interval)), now) for watch in self.watches],
        }

    def _market(self) -> dict[str, Any] | None:
        """Return whether the exchange trades now; None where its sessions are simulated: their clock tells."""
        if self._settings.clock_url:
            return None
        calendar = calendar_of(None, self._settings.calendar)
        hours = calendar.hours(self._clock.now())
        return {
            "calendar": calendar.name,
            "open": hours.open,
            "last_close": stamp(hours.last_close),
            "close_before": stamp(hours.close_before),
            "changes_at": stamp(hours.changes_at) if hours.changes_at else None,
        }

    def _fold_log(self) -> None:
        """Fold the producers' own state from the log."""
        events = self._patiently(self._ledger.fold_log)
        log.info("folded the log", events=events, bars=len(self._ledger.bars), actions=len(self._ledger.actions))

    def _patiently(self, read: Callable[[], _Taken]) -> _Taken:
        """Read the log, however long Kafka and the registry take.

        Raises:
            Stopped: told to stop meanwhile.
        """
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type((LogAway, RegistryAway)),
                wait=wait_random_exponential(multiplier=0.5, max=5.0),
                stop=stop_when_event_set(self._stop),
                sleep=sleep_using_event(self._stop),
                before_sleep=self._report_wait,
                reraise=True,
            ):
                with attempt:
                    found = read()
        except (LogAway, RegistryAway) as error:
            raise Stopped from error
        self._waiting_for = None
        return found

    def _report_wait(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._waiting_for = f"Kafka and the registry: {error}"
        log.warning("waiting for Kafka and the registry", error=str(error))

    def _settle(self) -> None:
        """After refused events: let the others arrive, then learn from the log which of them did."""
        while True:
            try:
                self._flush()
                break
            except PublishFailed as error:
                log.error("Kafka refused events", error=str(error))
        self._fold_log()

    def _since(self, watch: SymbolState) -> datetime | None:
        last = self._ledger.last.get((watch.symbol, watch.interval))
        if last is None:
            return None
        calendar = calendar_of(None, self._settings.calendar)
        return calendar.sessions_before(last, self._settings.overlap_sessions)

    def _take(self, watch: SymbolState, report: Report, since: datetime | None, now: datetime) -> None:
        """Judge a report and publish its news."""
        sound, refused = judge_report(report, self._source.name, self._settings.calendar, since, now)
        for refusal in refused:
            if watch.refuse(refusal):
                REFUSED.labels(watch.symbol).inc()
                log.warning("refused", symbol=refusal.symbol, at=refusal.at, reason=refusal.reason)
        ledger = self._ledger
        ledger.follow()
        if not self._settings.accept_readjustment:
            refuse_readjustment(watch.symbol, ledger.bars, sound)
        if not any(sound.news(ledger.actions, ledger.bars)):
            return
        with publish_lock(self._settings.home / "publishing.lock", self._stop):
            self._patiently(ledger.catch_up)
            announced, closed = sound.news(ledger.actions, ledger.bars)
            total = len(announced) + len(closed)
            self._publish(watch, announced, now, 0, total)  # first, so that no bar goes before its split
            self._publish(watch, closed, now, len(announced), total)

    def _publish(
        self,
        watch: SymbolState,
        events: Sequence[BarClosed | CorporateActionAnnounced],
        now: datetime,
        before: int,
        total: int,
    ) -> None:
        for number, event in enumerate(events, start=before + 1):
            if number % _BATCH == 0:
                self._progress(watch.symbol, number, total)
            self._publisher.publish(event, time=now)
        if not events:
            return
        self._flush()
        self._progress(watch.symbol, before + len(events), total)
        for event in events:
            self._ledger.fold(event)
            self._count(watch, event)
        log.info(
            "published", symbol=watch.symbol, events=len(events), kind=type(events[0]).__name__, at=now.isoformat()
        )

    def _flush(self) -> None:
        while True:
            try:
                self._publisher.flush(timeout=_PATIENCE)
                self._waiting_for = None
                return
            except KafkaAway as error:
                self._waiting_for = f"Kafka: {error}"
                log.warning("waiting for Kafka; nothing is lost", error=str(error))
                if self._stop.is_set():
                    raise Stopped from error

    def _count(self, watch: SymbolState, event: BarClosed | CorporateActionAnnounced) -> None:
        kind = type(event).__name__
        PUBLISHED.labels(watch.symbol, kind).inc()
        if event.revision:
            REVISED.labels(watch.symbol, kind).inc()
            watch.revised += 1
            log.info("corrected", symbol=watch.symbol, kind=kind, revision=event.revision, event_id=event.event_id)
        if isinstance(event, BarClosed):
            watch.published += 1
            watch.refusals.pop(bars.closed_stamp(event), None)
            LAST_BAR.labels(watch.symbol).set(self._ledger.last[event.symbol, event.interval].timestamp())
        else:
            watch.actions += 1

    def _failed(self, watch: SymbolState, reason: str, refused: bool = False, wait: float | None = None) -> None:
        watch.failed(reason, datetime.now(UTC), time.monotonic(), self._period, refused=refused, wait=wait)
        log.warning("cannot read the vendor", symbol=watch.symbol, error=reason, failures=watch.failures)
