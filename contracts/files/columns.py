"""Bars from the text of a CSV: what the whole of each column allows is read, what it leaves open is asked for.

Pure: a text comes in, rows and faults go out.  The source `csv` and the backtest of a file make bars of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from contracts.files.dates import Stamp, date_reader
from contracts.files.numbers import DecimalMark, Undecided, currency_sign, decimal_marks, parse_number
from contracts.files.tables import TIMES, Table, Unreadable, read_table

FIGURES = ("open", "high", "low", "close", "volume")
_NEEDS = (TIMES, ("close", "adjusted"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How a file is written, where that cannot be seen or is known; None: as the file shows.

    Attributes:
        decimal: what stands before the fraction.
        date_format: strptime format of the column of times.
        delimiter: between the cells.
    """

    decimal: DecimalMark | None = None
    date_format: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a file, read.

    Attributes:
        line: counted from 1.
        stamp: a date, or an aware moment; a moment without a zone is UTC.
        stamps: whether the stamp marks the bar's open or its close.
        open: and the further figures; None where the cell is empty, NaN where it is no number.
        signs: currencies' signs and codes that stand beside the prices.
        symbol: and the further texts; empty where the file has no such column.
    """

    line: int
    stamp: Stamp
    stamps: Literal["open", "close"]
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal | None
    signs: frozenset[str]
    symbol: str
    interval: str
    currency: str
    exchange: str


@dataclass(frozen=True, slots=True)
class RowFault:
    """A line that cannot be read, and why; `way`: what of `Ways` may be to set."""

    line: int
    reason: str
    symbol: str
    way: str | None


def read_rows(
    text: str, ways: Ways | None = None, daily: bool = True, figures: Sequence[str] = FIGURES
) -> tuple[list[Row], list[RowFault]]:
    """Return the rows of a CSV with a time, open, high, low, close and volume, and the lines that cannot be read.

    Args:
        daily: the bars are daily: a `date` names the session, whatever time of day stands beside it.
        figures: those that there must be a column of; the cells of the others are empty where there is none.

    Raises:
        Unreadable: it has no such columns, can be read in two ways, or no line of it can be read.
    """
    ways = ways or Ways()
    table = read_table(text, ways.delimiter, _NEEDS)
    _check(table, figures)
    cells = {name: [table.cell(row, name) for _, row in table.rows] for name in FIGURES}
    try:
        marks = decimal_marks(cells, ways.decimal)
    except Undecided as undecided:
        raise Unreadable(f"{undecided}: say what stands before the fraction", "decimal") from undecided
    readers = _readers(table, ways)
    rows: list[Row] = []
    faults: list[RowFault] = []
    for line, row in table.rows:
        symbol = table.cell(row, "symbol")
        try:
            rows.append(_row(table, line, row, symbol, marks, readers, daily))
        except Unreadable as error:
            faults.append(RowFault(line, str(error), symbol, error.way))
        except ValueError as error:
            faults.append(RowFault(line, str(error), symbol, "date_format"))
    if faults and not rows:
        raise Unreadable(f"line {faults[0].line}: {faults[0].reason}", faults[0].way)
    return rows, faults


def _check(table: Table, figures: Sequence[str]) -> None:
    """Raise Unreadable for a table whose columns make no bar."""
    if "close" not in table.columns:
        adjusted = table.heading[table.columns["adjusted"]]
        raise Unreadable(
            f"it has an adjusted close only ({adjusted!r}), and prices are kept raw: export the close as it was traded "
            "beside it, or call the column close if it is just that"
        )
    missing = [name for name in figures if name not in table.columns]
    if missing:
        raise Unreadable(
            f"it has no column {', '.join(missing)} (its columns are {', '.join(table.heading)}): a bar is made of "
            f"{', '.join(figures)}; a market that tells no volume has 0"
        )


def _readers(table: Table, ways: Ways) -> dict[str, Callable[[str], Stamp]]:
    """Return what reads each column of times that the table has, in the order of their rank."""
    readers: dict[str, Callable[[str], Stamp]] = {}
    for name in TIMES:
        if name in table.columns and not (name == "time" and readers):
            texts = [_time_text(table, row, name) for _, row in table.rows]
            try:
                readers[name] = date_reader(texts, None if readers else ways.date_format)
            except Undecided as undecided:
                raise Unreadable(f"column {name}: {undecided}: say how dates are written", "date_format") from undecided
    return readers


def _time_text(table: Table, row: Sequence[str], name: str) -> str:
    """Return the text of a time; a date with a time of day in a column of its own is one text."""
    text = table.cell(row, name)
    beside = table.cell(row, "time") if name == "date" else ""
    return f"{text} {beside}" if text and ":" in beside and ":" not in text else text


def _row(
    table: Table,
    line: int,
    row: Sequence[str],
    symbol: str,
    marks: dict[str, DecimalMark],
    readers: dict[str, Callable[[str], Stamp]],
    daily: bool,
) -> Row:
    if any(row[len(table.heading) :]):
        raise Unreadable(
            f"{len(row)} cells stand under {len(table.heading)} headings: decimal commas need quotes around them, or "
            "another delimiter than a comma",
            "delimiter",
        )
    name = next((name for name in readers if table.cell(row, name)), None)
    if name is None:
        raise Unreadable(f"no time in any of the columns {', '.join(readers)}")
    stamps: Literal["open", "close"] = "close" if name == "closed_at" else "open"
    told = {each: table.cell(row, each) for each in FIGURES}
    return Row(
        line=line,
        stamp=_stamp(readers[name](_time_text(table, row, name)), name, daily),
        stamps=stamps,
        **{each: parse_number(text, marks[each]) for each, text in told.items()},
        signs=frozenset(sign for each in FIGURES[:4] if (sign := currency_sign(told[each]))),
        symbol=symbol,
        interval=table.cell(row, "interval"),
        currency=table.cell(row, "currency"),
        exchange=table.cell(row, "exchange"),
    )


def _stamp(stamp: Stamp, name: str, daily: bool) -> Stamp:
    if not isinstance(stamp, datetime):
        return stamp
    midnight = stamp.tzinfo is None and stamp == datetime(stamp.year, stamp.month, stamp.day)
    if daily and (name == "date" or (midnight and name != "closed_at")):
        return stamp.date()
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
