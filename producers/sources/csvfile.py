"""Bars from a CSV file, or from a folder of them: history of one's own, or what another program keeps writing.

A folder holds `SYMBOL.csv` for each symbol, and where there are splits or dividends `actions.csv` with the columns
`symbol, kind, ex_date, ratio, amount, currency`.  A single file has a `symbol` (or `ticker`) column.  Columns are found
by name, in any case: `date`, `opened_at`, `closed_at` or `timestamp`; `open, high, low, close, volume`; optional
`currency`.  A moment without a zone is UTC; prices are raw.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from producers.sources.base import Refusal, Report, VendorAction, VendorBar, VendorDown, VendorRefused
from producers.sources.numbers import number
from producers.sources.splits import share_ratio

ACTIONS = "actions.csv"
_STAMPS: dict[str, Literal["open", "close"]] = {
    "opened_at": "open",
    "date": "open",
    "timestamp": "open",
    "datetime": "open",
    "closed_at": "close",
}

Row = Mapping[str, str]


class CsvFiles:
    """The source `csv`.

    Args:
        currency: of files that name none.
        calendars: names of calendars by the files' `exchange`, where that is no MIC that is known here.
    """

    name = "csv"

    def __init__(self, path: Path, currency: str = "USD", calendars: Mapping[str, str] | None = None) -> None:
        self._calendars = calendars or {}
        self._path = path
        self._currency = currency

    def fetch(self, symbol: str, interval: str, since: datetime | None) -> Report:
        file = self._path / f"{symbol}.csv" if self._path.is_dir() else self._path
        rows = [
            (line, row)
            for line, row in _rows(file)
            if (row.get("symbol") or row.get("ticker") or symbol) == symbol
            and (row.get("interval") or interval) == interval
        ]
        if not rows:
            raise VendorRefused(f"{file} holds no bar of {symbol} at {interval}")
        bars: list[VendorBar] = []
        refusals: list[Refusal] = []
        for line, row in rows:
            try:
                bars.append(self._bar(row, symbol, interval))
            except ValueError as error:
                refusals.append(Refusal(symbol, f"{file.name}:{line}", str(error)))
        actions, unread = self._actions(symbol)
        return Report(bars, actions, [*refusals, *unread])

    def _bar(self, row: Row, symbol: str, interval: str) -> VendorBar:
        column = next((name for name in _STAMPS if row.get(name)), None)
        if column is None:
            raise ValueError(f"no time in any of the columns {', '.join(_STAMPS)}")
        return VendorBar(
            symbol=symbol,
            interval=interval,
            stamp=_stamp(row[column], daily=interval == "P1D" and column == "date"),
            stamps=_STAMPS[column],
            currency=row.get("currency") or self._currency,
            exchange=row.get("exchange") or None,
            calendar=self._calendars.get(row.get("exchange") or ""),
            open=number(row.get("open")),
            high=number(row.get("high")),
            low=number(row.get("low")),
            close=number(row.get("close")),
            volume=number(row.get("volume")),
        )

    def _actions(self, symbol: str) -> tuple[list[VendorAction], list[Refusal]]:
        """Return the actions that stand beside the bars, and what is none; a bad line costs no bar."""
        file = self._path / ACTIONS
        actions: list[VendorAction] = []
        refusals: list[Refusal] = []
        if not (self._path.is_dir() and file.exists()):
            return actions, refusals
        try:
            rows = [(line, row) for line, row in _rows(file) if row.get("symbol") == symbol]
        except VendorDown as error:
            return actions, [Refusal(symbol, ACTIONS, str(error))]
        for line, row in rows:
            try:
                actions.append(_action(row, symbol, self._currency))
            except ValueError as error:
                refusals.append(Refusal(symbol, f"{ACTIONS}:{line}", str(error)))
        return actions, refusals


def _action(row: Row, symbol: str, currency: str) -> VendorAction:
    kind = row.get("kind", "").upper()
    told = row.get("ratio") if kind == "SPLIT" else row.get("amount")
    value = share_ratio(told) if kind == "SPLIT" else number(told)
    if kind not in ("SPLIT", "DIVIDEND") or value is None:
        raise ValueError(f"{kind!r} with value {told!r} is neither a split nor a dividend")
    try:
        ex_date = date.fromisoformat(row.get("ex_date", ""))
    except ValueError as error:
        raise ValueError(f"ex_date {row.get('ex_date', '')!r} is no date such as 2012-01-03") from error
    return VendorAction(
        symbol=symbol,
        kind="SPLIT" if kind == "SPLIT" else "DIVIDEND",
        ex_date=ex_date,
        value=value,
        currency=None if kind == "SPLIT" else row.get("currency") or currency,
    )


def _rows(file: Path) -> Iterator[tuple[int, Row]]:
    """Yield each row with its line, the columns' names in lower case."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            for row in reader:
                yield (
                    reader.line_num,
                    {(name or "").strip().lower(): (value or "").strip() for name, value in row.items() if name},
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise VendorDown(f"{file} cannot be read: {error}") from error


def _stamp(text: str, *, daily: bool) -> date | datetime:
    if len(text) == len("2012-01-03"):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if daily:
        return moment.date()
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
