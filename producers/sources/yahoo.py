"""Yahoo's chart API, version 8: keyless, undocumented, split-adjusted as of each request."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.files.numbers import excerpt, parse_number
from producers.sources.answers import parse_json
from producers.sources.base import Report, VendorAction, VendorBar, VendorDown, VendorRefused
from producers.sources.currencies import major_unit
from producers.sources.splits import factor_after, raw_price, raw_volume
from producers.sources.web import LIMITED_FOR, VendorAnswer, Web
from producers.sources.yahooevents import LATEST, Chart, Second, read_dividends, read_splits
from producers.sources.yahoomarkets import YahooMarket, yahoo_market_of

YAHOO_URL = "https://query1.finance.yahoo.com"
_INTERVALS = {"P1D": "1d", "PT1H": "1h", "PT1M": "1m"}
_BEGINNING = -2_208_988_800  # 1900-01-01: before any listing
_NO_DATA = "data doesn't exist"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)


class _Quote(_Shape):
    open: list[Any] = []
    high: list[Any] = []
    low: list[Any] = []
    close: list[Any] = []
    volume: list[Any] = []


class _Indicators(_Shape):
    quote: list[_Quote] = Field(min_length=1)


class _Meta(_Shape):
    symbol: str
    currency: str | None = None
    exchangeName: str | None = None
    fullExchangeName: Any = None
    exchangeTimezoneName: str
    regularMarketTime: Any = None


class _Result(_Shape):
    meta: _Meta
    timestamp: list[Second] = []
    indicators: _Indicators
    events: Any = None  # read one by one


class _Chart(_Shape):
    result: list[_Result] | None = None
    error: dict[str, Any] | None = None


class _Document(_Shape):
    chart: _Chart


class Yahoo:
    """The source `yahoo`.

    Args:
        url: the API's base: Yahoo's own, or a replay exchange that answers in its shape.
        calendars: names of calendars by Yahoo's `exchangeName`, for exchanges that are not known here.
        now: the wall clock.  Every request reaches to now and beyond, for splits are listed only inside the
            requested range while prices are adjusted for all of them.
    """

    name = "yahoo"

    def __init__(
        self,
        web: Web,
        url: str = YAHOO_URL,
        now: Callable[[], float] = time.time,
        calendars: Mapping[str, str] | None = None,
    ) -> None:
        self._web = web
        self._calendars = calendars or {}
        self._url = url.rstrip("/")
        self._now = now

    def fetch(self, symbol: str, interval: str, since: datetime | None) -> Report:
        if interval not in _INTERVALS:
            raise VendorRefused(f"yahoo serves {', '.join(_INTERVALS)}, not {interval}")
        return self._web.ask(
            f"{self._url}/v8/finance/chart/{quote(symbol, safe='')}",
            lambda answer: read_yahoo(answer, symbol, interval, self._now(), self._calendars),
            params={
                "period1": int(since.timestamp()) if since else _BEGINNING,
                "period2": int(self._now()) + 86_400,
                "interval": _INTERVALS[interval],
                "events": "div,splits",
                "includePrePost": "false",
            },
        )


def read_yahoo(
    answer: VendorAnswer,
    symbol: str,
    interval: str,
    now: float | None = None,
    calendars: Mapping[str, str] | None = None,
) -> Report:
    """Judge an answer by its content and read it.

    Args:
        now: epoch seconds of the request: prices are not adjusted yet for splits of a later day; None: the newest
            moment that the answer itself speaks of.
        calendars: names of calendars by Yahoo's `exchangeName`.

    Raises:
        VendorDown: a page, a truncated answer, a limit told inside a 200, arrays that do not match.
        VendorRefused: the vendor names an error of the request, or an exchange whose hours are not known.
    """
    if "too many requests" in answer.text[:500].lower():
        raise VendorDown(f"yahoo limits our requests (HTTP {answer.status}): {excerpt(answer.text)}", LIMITED_FOR)
    if answer.status in (401, 403):
        raise VendorRefused(f"yahoo refuses us (HTTP {answer.status}): {excerpt(answer.text)}")
    try:
        chart = _Document.model_validate(parse_json(answer.text)).chart
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise VendorDown(
            f"yahoo's answer has another shape at {where}: {first['msg']}: {excerpt(answer.text)}"
        ) from error
    if chart.error:
        description = str(chart.error.get("description") or chart.error.get("code"))
        if _NO_DATA in description.lower():
            return Report()
        raise VendorRefused(f"yahoo about {symbol}: {description}")
    if not chart.result:
        raise VendorDown(f"yahoo's answer holds neither a result nor an error: {excerpt(answer.text)}")
    meta = chart.result[0].meta
    market = yahoo_market_of(meta.exchangeName, meta.fullExchangeName, calendars or {})
    return _read_result(chart.result[0], symbol, interval, market, now)


def _read_result(result: _Result, symbol: str, interval: str, market: YahooMarket, now: float | None) -> Report:
    table = result.indicators.quote[0]
    columns = [table.open, table.high, table.low, table.close, table.volume]
    if any(len(column) != len(result.timestamp) for column in columns):
        lengths = [len(column) for column in columns]
        raise VendorDown(f"yahoo's arrays do not match: {len(result.timestamp)} timestamps, quotes {lengths}")
    zone = _zone(result.meta.exchangeTimezoneName)
    currency, units = major_unit(result.meta.currency or "")
    closes = {
        _day(second, zone): parse_number(close) for second, close in zip(result.timestamp, table.close, strict=True)
    }
    chart = Chart(
        symbol,
        zone,
        result.meta.currency or "",
        {day: close for day, close in closes.items() if close is not None and close.is_finite()},
    )
    splits, bad_splits = read_splits(result.events, chart)
    today = _day(_newest(result) if now is None else now, zone)
    in_force = [split for split in splits if split.ex_date <= today]
    bars: dict[date | datetime, VendorBar] = {}
    for second, *values in zip(result.timestamp, *columns, strict=True):
        if all(value is None for value in values):
            continue  # Yahoo's way to say that nothing traded
        by_day = interval == "P1D" and not market.overnight  # else the evening's live row would be today's
        stamp = _day(second, zone) if by_day else datetime.fromtimestamp(second, UTC)
        factor = factor_after(in_force, _day(second, zone))
        bar = _bar(values, factor, units, {
            "symbol": symbol, "interval": interval, "stamp": stamp, "currency": currency,
            "exchange": market.exchange, "calendar": market.calendar,
        })  # fmt: skip
        # The session under way comes twice at times, once with its open's stamp and once with the last trade's.
        if stamp not in bars or bar.wholeness >= bars[stamp].wholeness:
            bars[stamp] = bar
    dividends, bad_dividends = read_dividends(result.events, chart, in_force)
    announced = [
        VendorAction(symbol=symbol, kind="SPLIT", ex_date=split.ex_date, value=split.ratio) for split in splits
    ]
    return Report(tuple(bars.values()), (*announced, *dividends), (*bad_splits, *bad_dividends))


def _newest(result: _Result) -> int:
    """Return the newest moment that an answer speaks of, in epoch seconds."""
    told = parse_number(result.meta.regularMarketTime)
    sound = told is not None and told.is_finite() and 0 < told < LATEST
    return max([*result.timestamp, int(told) if told is not None and sound else 0])


def _bar(values: list[Any], factor: Decimal, units: int, names: Mapping[str, Any]) -> VendorBar:
    *prices, volume = (parse_number(value) for value in values)
    raw = [raw_price(price, factor) if price is not None else (None, Decimal(0)) for price in prices]
    units_traded, volume_noise = raw_volume(volume, factor) if volume is not None else (None, Decimal(0))
    open_, high, low, close = (None if price is None else price / units for price, _ in raw)
    return VendorBar(
        **names,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=units_traded,
        price_noise=max(noise for _, noise in raw) / units,
        volume_noise=volume_noise,
    )


def _day(second: float, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(second, zone).date()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise VendorDown(f"yahoo names a time zone that does not exist: {name!r}") from error
