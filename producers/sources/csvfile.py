"""Bars from a CSV file, or from a folder of them: history of one's own, or what another program keeps writing.

A folder holds `SYMBOL.csv` for each symbol (percent-encoded: `BF%2FB.csv`), and where there are splits or dividends
`actions.csv` with the columns `symbol, kind, ex_date, ratio, amount, currency`.  A single file has a `symbol` (or
`ticker`) column.  Columns are found
by name, in any case: `date`, `opened_at`, `closed_at` or `timestamp`; `open, high, low, close, volume`; optional
`currency`.  A moment without a zone is UTC; prices are raw.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from contracts.files.columns import Row, RowFault, Ways, read_rows
from contracts.files.tables import Unreadable, decoded
from producers.sources.base import Report, ReportRefusal, VendorAction, VendorBar, VendorDown, VendorRefused
from producers.sources.csvactions import read_csv_actions
from producers.sources.currencies import currencies_of

ACTIONS_FILE = "actions.csv"
_Read = TypeVar("_Read")


class CsvFiles:
    """The source `csv`.

    Args:
        currency: of files that name none.
        calendars: names of calendars by the files' `exchange`, where that is no MIC that is known here.
        ways: how the files are written, where they do not show it.
    """

    name = "csv"

    def __init__(
        self,
        path: Path,
        currency: str = "USD",
        calendars: Mapping[str, str] | None = None,
        ways: Ways | None = None,
    ) -> None:
        self._path = path
        self._currency = currency
        self._calendars = calendars or {}
        self._ways = ways or Ways()
        self._held: tuple[object, tuple[list[Row], list[RowFault]]] | None = None

    def fetch(self, symbol: str, interval: str, since: datetime | None) -> Report:
        file = self._path / f"{quote(symbol, safe='^=')}.csv" if self._path.is_dir() else self._path
        try:
            rows, faults = self._rows(file, interval == "P1D")
        except Unreadable as error:
            raise VendorRefused(f"{file} cannot be read: {error}{_advice(error.way)}") from error
        bars = [
            self._bar(row, symbol, interval, file)
            for row in rows
            if (row.symbol or symbol) == symbol and (row.interval or interval) == interval
        ]
        refusals = [
            ReportRefusal(symbol, f"{file.name}:{fault.line}", f"{fault.reason}{_advice(fault.way)}")
            for fault in faults
            if (fault.symbol or symbol) == symbol
        ]
        if not bars and not refusals:
            raise VendorRefused(f"{file} holds no bar of {symbol} at {interval}")
        actions, unread = self._actions(symbol)
        return Report(bars, actions, [*refusals, *unread])

    def _rows(self, file: Path, daily: bool) -> tuple[list[Row], list[RowFault]]:
        """Return what a file holds; one that has not changed since is not read again."""
        try:
            written = file.stat()
        except OSError as error:
            raise VendorDown(f"{file} cannot be read: {error}") from error
        version = (file, daily, written.st_mtime_ns, written.st_size)
        if self._held is None or self._held[0] != version:
            self._held = version, _of(file, lambda text: read_rows(text, self._ways, daily))
        return self._held[1]

    def _bar(self, row: Row, symbol: str, interval: str, file: Path) -> VendorBar:
        currency = row.currency or self._currency
        for sign in row.signs:
            if currency not in currencies_of(sign):
                raise VendorRefused(
                    f"{file}:{row.line}: prices are in {sign}, and the currency is said to be {currency}: set "
                    f"FORETICK_CSV_CURRENCY to {' or '.join(currencies_of(sign))}, or add a column currency"
                )
        return VendorBar(
            symbol=symbol,
            interval=interval,
            stamp=row.stamp,
            stamps=row.stamps,
            currency=currency,
            exchange=row.exchange or None,
            calendar=self._calendars.get(row.exchange),
            open=row.open,
            high=row.high,
            low=row.low,
            close=row.close,
            volume=row.volume,
        )

    def _actions(self, symbol: str) -> tuple[list[VendorAction], list[ReportRefusal]]:
        """Return the actions that stand beside the bars, and what is none; a bad line costs no bar."""
        file = self._path / ACTIONS_FILE
        if not (self._path.is_dir() and file.exists()):
            return [], []
        try:
            return _of(file, lambda text: read_csv_actions(text, ACTIONS_FILE, symbol, self._currency, self._ways))
        except (VendorDown, Unreadable) as error:
            return [], [ReportRefusal(symbol, ACTIONS_FILE, str(error))]


def _of(file: Path, read: Callable[[str], _Read]) -> _Read:
    """Return what is read from a file's text.

    Raises:
        VendorDown: the file cannot be opened.
        Unreadable: it is no such text.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise VendorDown(f"{file} cannot be read: {error}") from error
    return read(decoded(data))


def _advice(way: str | None) -> str:
    return f" (set FORETICK_CSV_{way.upper()})" if way else ""
