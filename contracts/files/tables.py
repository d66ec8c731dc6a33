"""A CSV text as a table: where its heading stands, what stands between its cells, what its columns are."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
_LEADING = 30  # lines among which the heading is looked for

# What each of our columns is called, the likeliest name first; spaces, case, <> and a last point do not count.
NAMES: Mapping[str, Sequence[str]] = {
    "opened_at": ("opened_at",),
    "date": ("date", "trade date", "trading day"),
    "timestamp": ("timestamp", "date/time", "time stamp", "ds"),
    "datetime": ("datetime", "date time"),
    "closed_at": ("closed_at",),
    "time": ("time",),
    "open": ("open", "o", "opening price", "open price"),
    "high": ("high", "h", "high price"),
    "low": ("low", "l", "low price"),
    "close": ("close", "c", "close/last", "closing price", "close price", "last", "last price", "price"),
    "adjusted": ("adj close", "adjclose", "adjusted close", "close adjusted", "adj", "adjusted"),
    "volume": ("volume", "vol", "v"),
    "symbol": ("symbol", "ticker"),
    **{name: (name,) for name in ("interval", "currency", "exchange", "kind", "ex_date", "ratio", "amount")},
}
TIMES = ("opened_at", "date", "timestamp", "datetime", "closed_at", "time")


class Unreadable(ValueError):
    """A text cannot be read as a table of bars; the error says what is wrong, and what to do.

    Attributes:
        way: what would decide it, of `columns.Ways`; None where no such thing would.
    """

    def __init__(self, reason: str, way: str | None = None) -> None:
        super().__init__(reason)
        self.way = way


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts.

    Attributes:
        delimiter: between the cells.
        heading: the columns as the file names them.
        columns: where each of our columns stands.
        rows: each with its line in the file, counted from 1.
    """

    delimiter: str
    heading: Sequence[str]
    columns: Mapping[str, int]
    rows: Sequence[tuple[int, Sequence[str]]]

    def cell(self, row: Sequence[str], name: str) -> str:
        """Return a cell by our name of its column; empty where the row or the table has none."""
        place = self.columns.get(name)
        return row[place] if place is not None and place < len(row) else ""


def decoded(data: bytes) -> str:
    """Return a file's text: UTF-8, UTF-16 where its bytes show it, else Windows' Western code page.

    Raises:
        Unreadable: it is no text.
    """
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable("it is an Excel workbook: save it there as CSV")
    if data.startswith(b"\x1f\x8b"):
        raise Unreadable("it is compressed: unpack it")
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Unreadable("it is no text in UTF-8, UTF-16 or Windows-1252: save it as CSV, UTF-8")


def read_table(text: str, delimiter: str | None = None, needs: Sequence[Sequence[str]] = ()) -> Table:
    """Return a text as a table.  Lines before the heading are left out.

    Args:
        delimiter: what stands between the cells; None: what makes the most of the heading.
        needs: groups of our columns; a heading has one of each.

    Raises:
        Unreadable: no line is such a heading, or two columns have one name.
    """
    lines = text.lstrip("\ufeff").splitlines(keepends=True)
    if lines and (named := re.fullmatch(r"sep=(.)\s*", lines[0], re.IGNORECASE)):
        delimiter = delimiter or named[1]
    found = []
    for candidate in (delimiter,) if delimiter else DELIMITERS:
        for at, line in enumerate(lines[:_LEADING]):
            heading = _cells(line, candidate)
            columns = _columns(heading)
            if all(any(name in columns for name in group) for group in needs):
                found.append((len(columns), at, candidate, heading, columns))
                break
    if not found:
        raise Unreadable(_no_heading(lines, delimiter, needs), "delimiter")
    _, at, candidate, heading, columns = max(found, key=lambda each: each[0])
    return Table(candidate, heading, columns, _rows(lines[at + 1 :], candidate, at + 1))


def _encodings(data: bytes) -> Sequence[str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    start = data[:200]
    if b"\x00" in start:
        return ("utf-16-le", "utf-16-be") if b"\x00" in start[1::2] else ("utf-16-be",)
    return ("utf-8-sig", "cp1252", "latin-1")


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []
    while cells and not cells[-1]:  # nothing may stand under a heading that is none
        cells.pop()
    return cells


def _columns(heading: Sequence[str]) -> dict[str, int]:
    """Return where our columns stand; the likeliest name counts where several would do.

    Raises:
        Unreadable: two columns have the same name.
    """
    plain = [re.sub(r"[\s_]+", " ", name.strip(" <>*\"'").lower()).removesuffix(".") for name in heading]
    columns = {}
    for name, aliases in NAMES.items():
        for alias in aliases:
            places = [place for place, each in enumerate(plain) if each == alias.replace("_", " ")]
            if len(places) > 1:
                raise Unreadable(f"two columns are called {heading[places[0]]!r}: take one away")
            if places:
                columns[name] = places[0]
                break
    return columns


def _rows(lines: Sequence[str], delimiter: str, before: int) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)
    rows = []
    try:
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if any(row):
                rows.append((before + reader.line_num, row))
    except csv.Error as error:
        raise Unreadable(f"line {before + reader.line_num}: {error}") from error
    return rows


def _no_heading(lines: Sequence[str], delimiter: str | None, needs: Sequence[Sequence[str]]) -> str:
    first = next((line.strip() for line in lines if line.strip()), "")
    if not first:
        return "it is empty"
    wanted = " and ".join("/".join(group) for group in needs)
    between = f" between {delimiter!r}" if delimiter else ""
    what = "it begins without a heading" if re.match(r"[\"']?\d", first) else "no line of it is a heading"
    return f"{what}{between}: the first line is {first[:80]!r}; name the columns, {wanted} among them"
