"""When each symbol's vendor is asked, and what its answers and failures come to."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

import structlog

from contracts.ids import stamp
from producers.catalogue import period_of
from producers.ledger import Ledger, OwnUnreadable
from producers.metrics import REFUSED
from producers.publishing import IngestProgress, NewsPublisher
from producers.reports import judge_report
from producers.sessions import calendar_of
from producers.settings import ProducerSettings
from producers.sources.base import Report, Source, VendorDown, VendorRefused, WrongSetting
from producers.symbol_state import SymbolState
from streaming.clock import Clock
from streaming.errors import ClockAway
from streaming.publisher import PublishFailed

log = structlog.get_logger()


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
        clock: Clock,
        stop: threading.Event,
        progress: IngestProgress = lambda *_: None,
    ) -> None:
        self._settings = settings
        self._source = source
        self._ledger = ledger
        self._news = NewsPublisher(settings, ledger, stop, progress)
        self._clock = clock
        self._stop = stop
        self._period = period_of(settings)
        self._stopped: WrongSetting | None = None
        self.watches = [SymbolState(symbol, settings.interval) for symbol in settings.symbols]

    def run(self) -> None:
        """Fold the log, then poll until stopped.

        Raises:
            Stopped: told to stop while a server was away.
        """
        self._news.fold_log()
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
            self._news.waiting_for = f"a setting to be mended, and a new start: {error}"
            log.error("the source has stopped", error=str(error))
            for each in self.watches:
                self._failed(each, str(error), refused=True)
        except (VendorDown, VendorRefused) as error:
            self._failed(watch, str(error), isinstance(error, VendorRefused), getattr(error, "retry_after", None))
        except ClockAway as error:
            self._failed(watch, str(error))
        except PublishFailed as error:
            self._failed(watch, f"Kafka refused events: {error}")
        except OwnUnreadable as error:
            self._failed(watch, str(error))
            self._news.fold_log()  # waits until that is settled
        else:
            if full:
                watch.full_at = began + max(self._settings.full_read_seconds, self._period)
            if watch.error:
                log.info("the vendor answers again", symbol=watch.symbol, failures=watch.failures)
            watch.succeeded(began, self._period)

    def close(self) -> None:
        """Let go of what was taken to be written, and of the ledger."""
        self._news.close()
        self._ledger.close()

    def reasons(self) -> list[str]:
        """Return why the producers are not ready: what has not been looked at yet, and whom they wait for."""
        why = [f"waiting for {self._news.waiting_for}"] if self._news.waiting_for else []
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
            "waiting_for": self._news.waiting_for,
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
        self._news.publish(watch, sound, now)

    def _failed(self, watch: SymbolState, reason: str, refused: bool = False, wait: float | None = None) -> None:
        watch.failed(reason, datetime.now(UTC), time.monotonic(), self._period, refused=refused, wait=wait)
        log.warning("cannot read the vendor", symbol=watch.symbol, error=reason, failures=watch.failures)
