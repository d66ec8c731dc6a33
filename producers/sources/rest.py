"""Any vendor that answers JSON over HTTP, read by a mapping."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from producers.sources.base import Refusal, Report, VendorAction, VendorBar, VendorDown, VendorRefused
from producers.sources.mappings import Dividends, Mapping, Splits, entries, find
from producers.sources.numbers import excerpt, number, parse_json
from producers.sources.web import Answer, Web, refuse_client_error

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
    ) -> None:
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
                lambda answer: read_answer(answer, mapping, symbol, interval),
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


_PARTS: tuple[Callable[[Report], Iterable[Any]], ...] = (
    lambda page: page.bars,
    lambda page: page.actions,
    lambda page: page.refusals,
)


def read_answer(answer: Answer, mapping: Mapping, symbol: str, interval: str) -> tuple[Report, str | None]:
    """Judge an answer by its content and read it; return the next page's address beside it.

    Raises:
        VendorDown: a page, a truncated answer, an error inside a 200.
        VendorRefused: the vendor names an error of the request.
    """
    if mapping.error and answer.status < 400 and (text := find(parse_json(answer.text), mapping.error)):
        raise VendorDown(f"an error inside HTTP {answer.status}: {excerpt(str(text))}")
    refuse_client_error(answer)
    document = parse_json(answer.text)
    if find(document, mapping.items) is None and not mapping.items_optional:
        raise VendorDown(f"nothing stands at {mapping.items}: {excerpt(answer.text)}")
    bars: list[VendorBar] = []
    refusals: list[Refusal] = []
    for entry in entries(document, mapping.items):
        time = find(entry, mapping.fields.time)
        try:
            stamp = mapping.time.read(time, interval)
        except ValueError as error:
            refusals.append(Refusal(symbol, str(time), f"unreadable time: {error}"))
            continue
        bars.append(
            VendorBar(
                symbol=symbol,
                interval=interval,
                stamp=stamp,
                stamps=mapping.time.stamps,
                currency=mapping.currency,
                exchange=mapping.exchange,
                open=number(find(entry, mapping.fields.open)),
                high=number(find(entry, mapping.fields.high)),
                low=number(find(entry, mapping.fields.low)),
                close=number(find(entry, mapping.fields.close)),
                volume=number(find(entry, mapping.fields.volume)),
                vwap=_optional(entry, mapping.fields.vwap),
                trades=_optional(entry, mapping.fields.trades),
            )
        )
    actions = [
        *(_split(entry, mapping.splits, symbol, mapping) for entry in _listed(document, mapping.splits)),
        *(_dividend(entry, mapping.dividends, symbol, mapping) for entry in _listed(document, mapping.dividends)),
    ]
    following = find(document, mapping.next) if mapping.next else None
    return Report(bars, [action for action in actions if action], refusals), str(following) if following else None


def _optional(entry: dict[str, Any], path: str | None) -> Decimal | None:
    return number(find(entry, path)) if path else None


def _listed(document: Any, where: Splits | Dividends | None) -> Iterable[dict[str, Any]]:
    return entries(document, where.items) if where else ()


def _split(entry: dict[str, Any], where: Splits | None, symbol: str, mapping: Mapping) -> VendorAction | None:
    if where is None:
        return None
    fields = where.fields
    if fields.ratio:
        value = number(find(entry, fields.ratio))
    else:
        new, old = (number(find(entry, path or "")) for path in (fields.numerator, fields.denominator))
        value = new / old if new and old else None
    day = _ex_date(find(entry, fields.date), mapping)
    return VendorAction(symbol=symbol, kind="SPLIT", ex_date=day, value=value) if value else None


def _dividend(entry: dict[str, Any], where: Dividends | None, symbol: str, mapping: Mapping) -> VendorAction | None:
    if where is None:
        return None
    value = number(find(entry, where.fields.amount))
    day = _ex_date(find(entry, where.fields.date), mapping)
    currency = mapping.currency
    return VendorAction(symbol=symbol, kind="DIVIDEND", ex_date=day, value=value, currency=currency) if value else None


def _ex_date(value: object, mapping: Mapping) -> date:
    """Read an action's day: written like the bars' times, or as a plain ISO date."""
    try:
        if isinstance(value, str) and len(value) >= len("2012-01-03") and value[4:5] == "-":
            return date.fromisoformat(value[:10])
        moment = mapping.time.read(value, "PT1H")
    except ValueError as error:
        raise VendorDown(f"an action's date {value!r} cannot be read: {error}") from error
    return moment.astimezone(ZoneInfo(mapping.time.zone)).date() if isinstance(moment, datetime) else moment


def _fill(text: str, words: dict[str, str]) -> str:
    """Put the words into their braces; other braces stay as they are."""
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text


def _same_host(url: str, following: str | None) -> str | None:
    """Return the next page's address; our key must not follow it to another host."""
    if following is None:
        return None
    target = urljoin(url, following)
    if urlsplit(target).netloc != urlsplit(url).netloc:
        raise VendorDown(f"the next page {excerpt(target)} stands on another host than {urlsplit(url).netloc}")
    return target
