"""Splits and dividends from the text of an `actions.csv`, each line judged by itself."""

from collections.abc import Callable
from datetime import date, datetime

from contracts.files.columns import Ways
from contracts.files.dates import Stamp, date_reader
from contracts.files.numbers import DecimalMark, Undecided, decimal_marks, parse_number
from contracts.files.tables import Unreadable, read_table
from producers.sources.base import ReportRefusal, VendorAction
from producers.sources.splits import share_ratio

_NEEDS = (("symbol",), ("kind",), ("ex_date",))


def read_csv_actions(
    text: str, file: str, symbol: str, currency: str, ways: Ways
) -> tuple[list[VendorAction], list[ReportRefusal]]:
    """Return a symbol's actions, and its lines that are none.

    Args:
        file: its name, for refusals.
        currency: of dividends that name none.

    Raises:
        Unreadable: it has no such columns, or can be read in two ways.
    """
    table = read_table(text, ways.delimiter, _NEEDS)
    try:
        figures = {name: [table.cell(row, name) for _, row in table.rows] for name in ("ratio", "amount")}
        marks = decimal_marks(figures, ways.decimal)
        day = date_reader([table.cell(row, "ex_date") for _, row in table.rows])
    except Undecided as undecided:
        raise Unreadable(f"{file}: {undecided}: write 0.5 and 2012-01-03 there") from undecided
    actions: list[VendorAction] = []
    refusals: list[ReportRefusal] = []
    for line, row in table.rows:
        if table.cell(row, "symbol") != symbol:
            continue
        cells = {name: table.cell(row, name) for name in ("kind", "ex_date", "ratio", "amount", "currency")}
        try:
            actions.append(_action(cells, symbol, currency, marks, day))
        except ValueError as error:
            refusals.append(ReportRefusal(symbol, f"{file}:{line}", str(error)))
    return actions, refusals


def _action(
    cells: dict[str, str], symbol: str, currency: str, marks: dict[str, DecimalMark], day: Callable[[str], Stamp]
) -> VendorAction:
    kind = cells["kind"].upper()
    told = cells["ratio"] if kind == "SPLIT" else cells["amount"]
    value = parse_number(told, marks["ratio" if kind == "SPLIT" else "amount"])
    value = share_ratio(value) if kind == "SPLIT" else value
    if kind not in ("SPLIT", "DIVIDEND") or value is None:
        raise ValueError(f"{kind!r} with value {told!r} is neither a split nor a dividend")
    return VendorAction(
        symbol=symbol,
        kind="SPLIT" if kind == "SPLIT" else "DIVIDEND",
        ex_date=_ex_date(cells["ex_date"], day),
        value=value,
        currency=None if kind == "SPLIT" else cells["currency"] or currency,
    )


def _ex_date(text: str, day: Callable[[str], Stamp]) -> date:
    try:
        stamp = day(text)
    except ValueError as error:
        raise ValueError(f"ex_date {text!r} is no date such as 2012-01-03") from error
    return stamp.date() if isinstance(stamp, datetime) else stamp
