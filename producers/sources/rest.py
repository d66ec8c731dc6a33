"""Any vendor that answers JSON over HTTP, read by a mapping."""

import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as Dictionary
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from pydantic import SecretStr

from contracts.files.numbers import Undecided, decimal_marks, excerpt, parse_number
from producers.sources.answers import parse_json
from producers.sources.base import Report, ReportRefusal, VendorBar, VendorDown, VendorRefused, WrongSetting
from producers.sources.mappings import Mapping, entries, find
from producers.sources.restactions import read_rest_actions
from producers.sources.web import VendorAnswer, Web, blames_key, refuse_client_error

_FIGURES = ("open", "high", "low", "close", "volume", "vwap", "trades")
_PAGES = 200  # more means that a vendor's pages go in a circle


class Rest:
    """The source `rest`."""

    name = "rest"

    def __init__(
        self,
        web: Web,
        mapping: Mapping,
        key: SecretStr | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        calendars: Dictionary[str, str] | None = None,
    ) -> None:
        self._calendar = (calendars or {}).get(mapping.exchange or "")
        self._web = web
        self._mapping = mapping
        self._key = key.get_secret_value() if key else ""
        self._now = now

    def fetch(self, symbol: str, interval: str, since: datetime | None) -> Report:
        mapping = self._mapping
        if interval not in mapping.intervals:
            raise VendorRefused(f"the mapping names {', '.join(mapping.intervals)}, not {interval}")
        words = self._words(symbol, interval, since or datetime(1970, 1, 1, tzinfo=UTC))
        url: str | None = _fill(mapping.url, {name: quote(value, safe="") for name, value in words.items()})
        headers = {name: _fill(text, words) for name, text in mapping.headers.items()}
        params = {name: _fill(text, words) for name, text in mapping.params.items()}
        keys = {name: params[name] for name, text in mapping.params.items() if "{key}" in text}
        pages: list[Report] = []
        while url:
            if len(pages) == _PAGES:
                raise VendorDown(f"{mapping.url} has more than {_PAGES} pages")
            page, following = self._web.ask(
                url,
                lambda answer: read_rest(answer, mapping, symbol, interval, self._calendar),
                params=params,
                headers=headers,
            )
            pages.append(page)
            params = keys  # the next page's address carries the rest
            url = _same_host(url, following)
        return Report(*([item for page in pages for item in part(page)] for part in _PARTS))

    def _words(self, symbol: str, interval: str, since: datetime) -> dict[str, str]:
        now = self._now()
        return {
            "symbol": symbol,
            "interval": self._mapping.intervals[interval],
            "since": since.date().isoformat(),
            "since_ms": str(int(since.timestamp() * 1000)),
            "now": now.date().isoformat(),
            "now_ms": str(int(now.timestamp() * 1000)),
            "key": self._key,
        }


_DEFAULT_PORTS = {"http": 80, "https": 443}

_PARTS: tuple[Callable[[Report], Iterable[Any]], ...] = (
    lambda page: page.bars,
    lambda page: page.actions,
    lambda page: page.refusals,
)


def read_rest(
    answer: VendorAnswer, mapping: Mapping, symbol: str, interval: str, calendar: str | None = None
) -> tuple[Report, str | None]:
    """Judge an answer by its content and read it; return the next page's address beside it.

    Args:
        calendar: name of the calendar of the mapping's exchange, where the exchange does not tell it.

    Raises:
        VendorDown: a page, a truncated answer, an error inside a 200.
        VendorRefused: the vendor names an error of the request.
        WrongSetting: it blames the key.
    """
    if mapping.error and answer.status < 400 and (text := find(parse_json(answer.text), mapping.error)):
        told = f"an error inside HTTP {answer.status}: {excerpt(str(text))}"
        if blames_key(str(text)):
            raise WrongSetting(f"{told} (is FORETICK_REST_KEY right?)")
        raise VendorDown(told)
    refuse_client_error(answer, "FORETICK_REST_KEY")
    document = parse_json(answer.text)
    if find(document, mapping.items) is None and not mapping.items_optional:
        raise VendorDown(f"nothing stands at {mapping.items}: {excerpt(answer.text)}")
    bars: list[VendorBar] = []
    refusals: list[ReportRefusal] = []
    listed = entries(document, mapping.items)
    if listed and not any(isinstance(entry, dict) for entry in listed):
        raise VendorDown(f"at {mapping.items} stand no objects: {excerpt(str(listed))}")
    fields = {name: path for name in _FIGURES if (path := getattr(mapping.fields, name))}
    objects = [entry for entry in listed if isinstance(entry, dict)]
    try:
        marks = decimal_marks({n: [find(e, path) for e in objects] for n, path in fields.items()}, mapping.decimal)
    except Undecided as error:
        raise VendorRefused(f"{error}: set decimal in the mapping to what stands before the fraction") from error
    for place, entry in enumerate(listed):
        if not isinstance(entry, dict):
            refusals.append(ReportRefusal(symbol, f"{mapping.items}.{place}", f"no object but {excerpt(str(entry))}"))
            continue
        time = find(entry, mapping.fields.time)
        try:
            stamp = mapping.time.read(time, interval)
        except ValueError as error:
            refusals.append(ReportRefusal(symbol, str(time), f"unreadable time: {error}"))
            continue
        figures = {name: parse_number(find(entry, path), marks[name]) for name, path in fields.items()}
        bars.append(
            VendorBar(
                symbol=symbol,
                interval=interval,
                stamp=stamp,
                stamps=mapping.time.stamps,
                currency=mapping.currency,
                exchange=mapping.exchange,
                calendar=calendar,
                open=figures["open"],
                high=figures["high"],
                low=figures["low"],
                close=figures["close"],
                volume=figures["volume"],
                vwap=figures.get("vwap"),
                trades=figures.get("trades"),
            )
        )
    actions, unread = read_rest_actions(document, mapping, symbol)
    following = find(document, mapping.next) if mapping.next else None
    return Report(bars, actions, [*refusals, *unread]), str(following) if following else None


def _fill(text: str, words: dict[str, str]) -> str:
    """Put the words into their braces; other braces stay as they are."""
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), text)  # at once: no word holds another


def _same_host(url: str, following: str | None) -> str | None:
    """Return the next page's address; our key must not follow it to another server, nor out of TLS."""
    if following is None:
        return None
    try:
        target = urljoin(url, following)
        there = _server(target)
    except ValueError as error:
        raise VendorDown(f"the next page's address {excerpt(following)} cannot be read: {error}") from error
    if there != _server(url):
        raise VendorDown(f"the next page {excerpt(target)} stands on another server than {urlsplit(url).netloc}")
    return target


def _server(url: str) -> tuple[str, str | None, int | None, str | None]:
    """Return an address's scheme, host, port and user; raises ValueError for what is no address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme), parts.username
