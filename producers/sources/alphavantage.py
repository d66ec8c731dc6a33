"""Alpha Vantage: raw daily bars as strings, and errors that arrive as HTTP 200."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import SecretStr

from contracts.files.numbers import DecimalMark, Undecided, decimal_marks, excerpt, parse_number
from producers.sources.answers import parse_json
from producers.sources.base import (
    Report,
    ReportRefusal,
    VendorAction,
    VendorBar,
    VendorDown,
    VendorRefused,
    WrongSetting,
)
from producers.sources.web import LIMITED_FOR, VendorAnswer, Web, blames_key, refuse_client_error

ALPHAVANTAGE_URL = "https://www.alphavantage.co"
_COMPACT = timedelta(days=130)  # `compact` answers the last 100 sessions
_MARKETS = {  # how symbols of other exchanges end: MIC, currency
    **{"TRT": ("XTSE", "CAD"), "TRV": ("XTSX", "CAD"), "DEX": ("XETR", "EUR"), "FRK": ("XFRA", "EUR")},
    **{"BSE": ("XBOM", "INR"), "SHH": ("XSHG", "CNY"), "SHZ": ("XSHE", "CNY"), "SAO": ("BVMF", "BRL")},
}
_LONGEST_CLASS = 2  # BRK.B is a class of shares, TSCO.LON an exchange


class AlphaVantage:
    """The source `alphavantage`: daily bars, of US symbols in US dollars, of others by how their symbol ends.

    Args:
        adjusted: ask for TIME_SERIES_DAILY_ADJUSTED, which a paid key needs and which alone carries splits and
            dividends; the prices published are its raw ones.
        full: whether the key may ask for the whole history (`outputsize=full`); else the last 100 sessions.
        now: the present, aware; tells whether the last 100 sessions reach back to `since`.
    """

    name = "alphavantage"

    def __init__(
        self,
        web: Web,
        key: SecretStr,
        *,
        url: str = ALPHAVANTAGE_URL,
        adjusted: bool = False,
        full: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._web = web
        self._key = key
        self._url = url.rstrip("/")
        self._function = "TIME_SERIES_DAILY_ADJUSTED" if adjusted else "TIME_SERIES_DAILY"
        self._full = full
        self._now = now

    def fetch(self, symbol: str, interval: str, since: datetime | None) -> Report:
        if interval != "P1D":
            raise VendorRefused(f"alphavantage is read for P1D only, not {interval}")
        alphavantage_market_of(symbol)  # a request costs one of 25
        recent = since is not None and self._now() - since < _COMPACT
        size: Literal["full", "compact"] = "full" if self._full and not recent else "compact"
        return self._web.ask(
            f"{self._url}/query",
            lambda answer: read_alphavantage(answer, symbol, interval),
            params={
                "function": self._function,
                "symbol": symbol,
                "outputsize": size,
                "datatype": "json",
                "apikey": self._key.get_secret_value(),
            },
        )


def alphavantage_market_of(symbol: str) -> tuple[str | None, str]:
    """Return the MIC (None: the default's) and the currency of a symbol.

    Raises:
        VendorRefused: it ends in an exchange whose hours, or whose currency, are not known.
    """
    ending = symbol.rpartition(".")[2] if "." in symbol else ""
    if len(ending) <= _LONGEST_CLASS:
        return None, "USD"
    if market := _MARKETS.get(ending):
        return market
    raise VendorRefused(
        f"alphavantage's {symbol} trades on {ending!r}, whose hours, or whether it quotes in pence, pounds or dollars, "
        f"cannot be told: of other exchanges than the US ones {', '.join(_MARKETS)} are read; try the source yahoo"
    )


def read_alphavantage(answer: VendorAnswer, symbol: str, interval: str) -> Report:
    """Judge an answer by its content and read it.

    Raises:
        VendorDown: a page, a truncated answer, the limit of the key.
        VendorRefused: an unknown symbol.
        WrongSetting: a bad key, something that needs a paid key.
    """
    exchange, currency = alphavantage_market_of(symbol)
    refuse_client_error(answer, "FORETICK_ALPHAVANTAGE_KEY")
    document = parse_json(answer.text)
    if not isinstance(document, dict):
        raise VendorDown(f"alphavantage's answer has another shape: {excerpt(answer.text)}")
    _judge(document, symbol)
    series = next((value for name, value in document.items() if name.startswith("Time Series")), None)
    if not isinstance(series, dict):
        raise VendorDown(f"alphavantage's answer holds no time series: {excerpt(answer.text)}")
    bars: list[VendorBar] = []
    actions: list[VendorAction] = []
    refusals: list[ReportRefusal] = []
    marks = _marks(series.values())
    for day, row in sorted(series.items()):
        try:
            session = date.fromisoformat(day)
            fields = {name.split(". ")[-1]: parse_number(value, marks.get(name)) for name, value in row.items()}
        except (ValueError, AttributeError) as error:
            refusals.append(ReportRefusal(symbol, str(day), f"unreadable row: {error}"))
            continue
        bars.append(
            VendorBar(
                symbol=symbol,
                interval=interval,
                stamp=session,
                open=fields.get("open"),
                high=fields.get("high"),
                low=fields.get("low"),
                close=fields.get("close"),
                volume=fields.get("volume"),
                currency=currency,
                exchange=exchange,
            )
        )
        actions += _actions(symbol, session, fields, currency)
    return Report(bars, actions, refusals)


def _marks(rows: Iterable[object]) -> dict[str, DecimalMark]:
    """Return what stands before the fraction in each field of the rows."""
    columns: dict[str, list[object]] = {}
    for row in rows:
        for name, value in row.items() if isinstance(row, dict) else ():
            columns.setdefault(name, []).append(value)
    try:
        return decimal_marks(columns)
    except Undecided as error:
        raise VendorDown(f"alphavantage's numbers cannot be read: {error}") from error


def _judge(document: dict[str, Any], symbol: str) -> None:
    """Raise what the vendor says instead of data."""
    error = str(document.get("Error Message") or "")
    text = error or str(document.get("Note") or document.get("Information") or "")
    if "premium endpoint" in text or "premium feature" in text:
        raise WrongSetting(
            f"alphavantage: {text} (with a free key set FORETICK_ALPHAVANTAGE_FULL=false and "
            "FORETICK_ALPHAVANTAGE_ADJUSTED=false)"
        )
    if blames_key(text):
        raise WrongSetting(f"alphavantage: {text} (set FORETICK_ALPHAVANTAGE_KEY to a key of your own)")
    if error:
        raise VendorRefused(f"alphavantage about {symbol}: {error}")
    if text:
        raise VendorDown(f"alphavantage: {text}", LIMITED_FOR)


def _actions(symbol: str, session: date, fields: dict[str, Decimal | None], currency: str) -> list[VendorAction]:
    """Read what only the adjusted function carries: 0 and 1.0 mean that nothing happened."""
    found = []
    if (ratio := fields.get("split coefficient")) and ratio != 1:
        found.append(VendorAction(symbol=symbol, kind="SPLIT", ex_date=session, value=ratio))
    if amount := fields.get("dividend amount"):
        found.append(VendorAction(symbol=symbol, kind="DIVIDEND", ex_date=session, value=amount, currency=currency))
    return found
