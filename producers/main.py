"""`python -m producers.main`: follow the market until stopped."""

import logging
import sys
import threading
from dataclasses import dataclass
from datetime import datetime

import structlog
from tenacity import sleep_using_event

from producers.catalogue import source_from
from producers.ledger import Ledger
from producers.poller import Poller
from producers.publishing import IngestProgress, Stopped
from producers.settings import ProducerSettings
from producers.sources.base import VendorRefused
from streaming.clock import clock_from
from streaming.damage import LogUnsound
from streaming.errors import RegistryAway
from streaming.operations import configure_logging, serve_ops, stop_on_signals
from streaming.tracing import tracing

log = structlog.get_logger()

WRONG_SETTING = 2


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one pass brought of a symbol; `error` where the vendor failed, `refused` where bars were not sound."""

    symbol: str
    bars: int
    actions: int
    refused: int
    error: str | None


def ingest_once(
    settings: ProducerSettings,
    progress: IngestProgress = lambda *_: None,
    stop: threading.Event | None = None,
    since: datetime | None = None,
) -> list[Ingested]:
    """Read the history of every symbol once and publish what the log does not hold.

    Args:
        since: read from here on; None: the whole history.
        progress: called with symbol, events queued and events in all, while a symbol is published.

    Raises:
        VendorRefused: a setting is missing or wrong.
        KafkaAway, RegistryAway: Kafka or the registry does not answer.
        Stopped: `stop` was set while Kafka was away.
    """
    stop = stop or threading.Event()
    ledger = Ledger(settings)
    poller = _poller(settings, ledger, stop, progress)
    try:
        ledger.fold_log()
        for watch in poller.watches:
            poller.poll(watch, since)
            progress(watch.symbol, watch.published + watch.actions, watch.published + watch.actions)
    finally:
        poller.close()
    return [
        Ingested(watch.symbol, watch.published, watch.actions, len(watch.refusals), watch.error)
        for watch in poller.watches
    ]


def main() -> int:
    """Run the service; return its exit code."""
    configure_logging("producers")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log addresses, and vendors take keys in them
    settings = ProducerSettings()
    tracing.start("producers", settings.otlp_endpoint)
    stop = stop_on_signals()
    ledger = Ledger(settings)
    try:
        poller = _poller(settings, ledger, stop)
    except VendorRefused as error:
        log.error("cannot start", error=str(error))
        return WRONG_SETTING
    serve_ops(settings, poller.status, poller.reasons)
    try:
        poller.run()
    except LogUnsound as error:
        log.error("stopping: the log is not what was written", error=str(error))
        return 1
    except (Stopped, RegistryAway) as reason:
        if not stop.is_set():
            raise
        log.info("stopped while waiting", waited_for=str(reason.__cause__ or reason))
    finally:
        poller.close()
    return 0


def _poller(
    settings: ProducerSettings, ledger: Ledger, stop: threading.Event, progress: IngestProgress = lambda *_: None
) -> Poller:
    source = source_from(settings, sleep_using_event(stop))
    return Poller(settings, source, ledger, clock_from(settings), stop, progress)


if __name__ == "__main__":
    sys.exit(main())
