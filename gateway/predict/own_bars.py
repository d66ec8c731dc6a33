"""A caller's own bars in a CSV text, read as the producers and backtests read such files."""

from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from contracts.files.columns import Row, read_rows
from contracts.files.tables import DELIMITERS, Unreadable, decoded
from contracts.ids import stamp
from gateway.predict.history import FEWEST, LONGEST

_FAULTS = 5  # told one by one
# What a text without a heading has in its columns, by their number.
_USUAL = {2: "date,close", 5: "date,open,high,low,close", 6: "date,open,high,low,close,volume"}


def bars_of(data: bytes) -> dict[str, Any]:
    """Return the bars of a CSV, oldest first, and what is wrong with it.

    Returns:
        `bars`: `closed_at` as text (a date, or a moment in UTC), `open, high, low, close, volume`; figures that are not
        there are those of the close.  `whole`: there are open, high and low.  `faults`: in words.
    """
    try:
        rows, told = _rows(decoded(data))
    except Unreadable as error:
        return {"bars": [], "whole": False, "faults": [_sentence(str(error))]}
    if len(rows) > LONGEST:
        return {"bars": [], "whole": False, "faults": [f"{len(rows)} rows are too many: at most {LONGEST} are taken."]}
    good = [row for row in rows if _positive(row.close)]
    told += [f"Line {row.line}: the close is no positive price." for row in rows if not _positive(row.close)]
    good.sort(key=lambda row: _text(row.stamp))
    stamps = [_text(row.stamp) for row in good]
    told += [f"{one} is there twice." for one, other in pairwise(stamps) if one == other]
    if not told and len(good) < FEWEST:
        told.append(f"A forecast needs at least {FEWEST} rows.")
    if len(told) > _FAULTS:
        told = [*told[:_FAULTS], f"And {len(told) - _FAULTS} more."]
    whole = bool(good) and all(row.open and row.high and row.low for row in good)
    return {"bars": [_bar(row) for row in good], "whole": whole, "faults": told}


def _rows(text: str) -> tuple[list[Row], list[str]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    counts = {delimiter: len(first.split(delimiter)) for delimiter in DELIMITERS}
    delimiter = max(counts, key=lambda each: counts[each])
    heading = _USUAL.get(counts[delimiter], "") if first.strip(" \ufeff\"'")[:1].isdigit() else ""
    if heading:
        text = heading.replace(",", delimiter) + "\n" + text.lstrip("\ufeff")
    rows, faults = read_rows(text, figures=("close",))
    return rows, [_sentence(f"line {fault.line - bool(heading)}: {fault.reason}") for fault in faults]


def _bar(row: Row) -> dict[str, Any]:
    close = float(row.close or 0)
    first, high, low = (float(each) if each and _positive(each) else close for each in (row.open, row.high, row.low))
    return {
        "closed_at": _text(row.stamp),
        "open": first,
        "high": max(first, high, low, close),
        "low": min(first, high, low, close),
        "close": close,
        "volume": float(row.volume) if row.volume is not None and row.volume >= 0 else 0.0,
    }


def _positive(figure: Decimal | None) -> bool:
    return figure is not None and figure.is_finite() and figure > 0


def _text(moment: date | datetime) -> str:
    return stamp(moment) if isinstance(moment, datetime) else moment.isoformat()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
