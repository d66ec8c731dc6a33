"""What a look at the vendor would publish and what it would refuse: `foretick ingest --dry-run`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from contracts.events import BarClosed, CorporateActionAnnounced
from producers.catalogue import source_from
from producers.ledger import Ledger
from producers.reports import judge_report, refuse_readjustment
from producers.settings import ProducerSettings
from producers.sources.base import ReportRefusal, Source, VendorDown, VendorRefused, WrongSetting
from streaming.clock import clock_from
from streaming.errors import ClockAway


@dataclass(frozen=True, slots=True)
class Preview:
    """What one look at a symbol brought.

    Attributes:
        bars: would be published, by their closes; a correction has a revision above 0.
        actions: likewise.
        held: sound bars that the log holds already.
        refused: would not be published, and why.
        error: why the vendor's answer could not be used, if so.
    """

    symbol: str
    bars: tuple[BarClosed, ...] = ()
    actions: tuple[CorporateActionAnnounced, ...] = ()
    held: int = 0
    refused: tuple[ReportRefusal, ...] = ()
    error: str | None = None


def preview(settings: ProducerSettings, ledger: Ledger, since: datetime | None = None) -> Iterator[Preview]:
    """Look at each symbol once and publish nothing.

    Args:
        ledger: folded from the log; an empty one holds nothing, so that everything sound is news.
        since: read from here on; None: the whole history.

    Raises:
        VendorRefused: a setting is missing or wrong.
        KafkaAway: the broker went away meanwhile.
    """
    source = source_from(settings)
    for symbol in settings.symbols:
        try:
            yield _look(settings, source, ledger, symbol, since)
        except WrongSetting:  # every other symbol would be refused alike
            raise
        except (VendorDown, VendorRefused) as error:
            yield Preview(symbol, error=str(error))
        except ClockAway as error:
            yield Preview(symbol, error=str(error))


def _look(settings: ProducerSettings, source: Source, ledger: Ledger, symbol: str, since: datetime | None) -> Preview:
    report = source.fetch(symbol, settings.interval, since)
    ledger.catch_up()  # running producers publish meanwhile
    sound, refused = judge_report(report, source.name, settings.calendar, since, clock_from(settings).now())
    known = ledger.known(symbol, settings.interval, sound)
    if not settings.accept_readjustment:
        refuse_readjustment(symbol, known.bars, sound)
    actions, bars = sound.news(known.actions, known.bars)
    return Preview(symbol, tuple(bars), tuple(actions), len(sound.closed) - len(bars), tuple(refused))
