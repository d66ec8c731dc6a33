"""Which source the settings name, ready to fetch within its budget."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from producers.sessions import is_known
from producers.settings import ProducerSettings
from producers.sources.alphavantage import AlphaVantage
from producers.sources.base import Source, VendorRefused
from producers.sources.budget import DAY, MINUTE, Budget
from producers.sources.csvfile import CsvFiles
from producers.sources.mappings import load_mapping
from producers.sources.rest import Rest
from producers.sources.web import Web
from producers.sources.yahoo import Yahoo
from streaming.outward import clear_text

# A minute, a day.  Alpha Vantage's are those of a free key; Yahoo publishes none, and this is what it has borne.
_BUDGETS = {"yahoo": (60, 0), "alphavantage": (5, 25), "rest": (60, 0), "csv": (0, 0)}
_HERE = {"127.0.0.1", "localhost", "::1"}


def source_from(settings: ProducerSettings, sleep: Callable[[float], None] = time.sleep) -> Source:
    """Return the source that the settings name.

    Args:
        sleep: waits between attempts; one that ends when the service stops makes it stop at once.

    Raises:
        VendorRefused: a setting that the source needs is missing or wrong.
    """
    _check_calendars(settings)
    secrets = [secret for secret in (settings.alphavantage_key, settings.rest_key) if secret]
    web = Web(
        settings.source,
        budget=Budget(*budget_of(settings)),
        secrets=secrets,
        timeout=settings.vendor_timeout,
        sleep=sleep,
    )
    match settings.source:
        case "yahoo":
            return Yahoo(web, settings.yahoo_url, calendars=settings.calendars)
        case "alphavantage":
            if not settings.alphavantage_key:
                raise VendorRefused("the source alphavantage needs a key: set FORETICK_ALPHAVANTAGE_KEY")
            return AlphaVantage(
                web,
                settings.alphavantage_key,
                url=settings.alphavantage_url,
                adjusted=settings.alphavantage_adjusted,
                full=settings.alphavantage_full,
            )
        case "rest":
            if settings.rest_mapping is None:
                raise VendorRefused("the source rest needs a mapping: set FORETICK_REST_MAPPING")
            mapping = load_mapping(settings.rest_mapping)
            if not settings.private_network and (mend := clear_text(mapping.url)):
                raise VendorRefused(f"the mapping's url names a server that is not on this machine: {mend}")
            _known(settings.calendars.get(mapping.exchange or "", mapping.exchange), "the mapping's exchange")
            return Rest(web, mapping, settings.rest_key, calendars=settings.calendars)
        case "csv":
            if settings.csv_path is None:
                raise VendorRefused("the source csv needs a file or a folder: set FORETICK_CSV_PATH")
            return CsvFiles(settings.csv_path, settings.csv_currency, settings.calendars, settings.csv_ways)


def _check_calendars(settings: ProducerSettings) -> None:
    _known(settings.calendar, "FORETICK_CALENDAR")
    for name, calendar in settings.calendars.items():
        _known(calendar, f"FORETICK_CALENDARS, {name}")


def _known(calendar: str | None, where: str) -> None:
    """Raise VendorRefused for a calendar that does not exist."""
    if calendar is not None and not is_known(calendar):
        raise VendorRefused(
            f"{where}: there is no calendar {calendar!r}; name one of exchange_calendars, such as XNYS, XLON or 24/7, "
            "or give it one in FORETICK_CALENDARS"
        )


def budget_of(settings: ProducerSettings) -> tuple[int, int]:
    """Return how many requests a minute and a day may be made; 0: any number."""
    per_minute, per_day = _BUDGETS[settings.source]
    if urlsplit(_address(settings)).hostname in _HERE:
        per_minute = per_day = 0
    return (
        per_minute if settings.vendor_per_minute is None else settings.vendor_per_minute,
        per_day if settings.vendor_per_day is None else settings.vendor_per_day,
    )


def period_of(settings: ProducerSettings) -> float:
    """Return the seconds between two looks at one symbol: as set, or as many as the budget needs.

    A tenth of the budget is left for attempts that fail.
    """
    per_minute, per_day = budget_of(settings)
    each = 1.1 * len(settings.symbols)
    return max(
        settings.poll_seconds,
        each * MINUTE / per_minute if per_minute else 0.0,
        each * DAY / per_day if per_day else 0.0,
    )


def _address(settings: ProducerSettings) -> str:
    if settings.source == "rest" and settings.rest_mapping is not None:
        return load_mapping(settings.rest_mapping).url
    return settings.alphavantage_url if settings.source == "alphavantage" else settings.yahoo_url
