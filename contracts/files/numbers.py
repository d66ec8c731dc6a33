"""Numbers as vendors write them: decimals first, so that 0.1 stays 0.1 until the event is made.

`10,50` is ten and a half, `1,234.50` is more than a thousand, and `1,234` may be either: what its column says decides.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Literal

DecimalMark = Literal[".", ","]

CUT = "…"  # where a message leaves the rest of a text out
NOT_A_NUMBER = Decimal("NaN")
_OTHER: dict[DecimalMark, DecimalMark] = {".": ",", ",": "."}
_NOTHING = {"", "-", "\u2013", "\u2014", "n/a", "na", "#n/a", "null", "none"}
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?")
_WRITTEN = re.compile(
    r"""(?P<minus>[-+\u2212]?)\s*(?P<sign>[^\W\d_]{0,3}[$€£¥₹₩₪₽₺฿]|[A-Z]{3})?\s*
    (?P<digits>[.,]?\d[\d.,'\u2019\u0020\u00a0\u2009\u202f]*)
    (?:[eE](?P<exponent>[+-]?\d{1,3}))?
    \s*(?P<scale>[KkMmBbTt])?\s*(?P<unit>[$€£¥₹₩₪₽₺฿]|[A-Z]{3})?""",
    re.VERBOSE,
)
_SPACING = re.compile(
    r"['\u2019\u0020\u00a0\u2009\u202f]"
)  # how thousands are told apart where neither . nor , does it
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:_\d{2,3})*_\d{3}|\d*")  # India groups by two
_SLIP = 10  # a mark that is so much rarer in a column than the other is a slip: that figure alone is refused
_PRECISE = 28  # digits that `normalize` keeps
_SCALES = {"K": 3, "M": 6, "B": 9, "T": 12}


class Undecided(ValueError):
    """A text can be read in two ways, and nothing beside it says which; the text names the column and the value."""


def parse_number(value: object, mark: DecimalMark | None = None) -> Decimal | None:
    """Return a vendor's number as a decimal; None for nothing, NaN for what is no number, or may be one of two.

    Currency signs and codes are left out, `4.39M` is 4,390,000.

    Args:
        mark: what stands before the fraction, where that is known; None: as the text itself tells.
    """
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, bool):
        return NOT_A_NUMBER
    text = str(value).strip()
    if text.lower() in _NOTHING:
        return None
    if mark != "," and _PLAIN.fullmatch(text):
        return Decimal(text)
    written = _WRITTEN.fullmatch(text)
    if written is None:
        return NOT_A_NUMBER
    told = mark or _told(written)
    if told == "?":
        return NOT_A_NUMBER
    return _read(written, "," if told == "," else ".")


def decimal_marks(columns: Mapping[str, Iterable[object]], told: DecimalMark | None = None) -> dict[str, DecimalMark]:
    """Return what stands before the fraction in each column: what the column itself shows, else what others show.

    Args:
        columns: values by the column's name; what is no text tells nothing.
        told: holds for all columns, whatever they show.

    Raises:
        Undecided: a column shows both, or a comma that may be either.
    """
    if told:
        return dict.fromkeys(columns, told)
    shown = {name: _shown(name, values) for name, values in columns.items()}
    sure: set[DecimalMark] = {mark for mark, _ in shown.values() if mark is not None}
    marks: dict[str, DecimalMark] = {}
    for name, (mark, doubtful) in shown.items():
        if mark is None and doubtful is not None and len(sure) != 1:
            raise Undecided(f"column {name}: {doubtful!r} may be a decimal comma or a thousand")
        others: DecimalMark = next(iter(sure)) if len(sure) == 1 else "."
        marks[name] = others if mark is None else mark
    return marks


def currency_sign(value: object) -> str | None:
    """Return the currency's sign or code that stands beside a number; None where none does."""
    if not isinstance(value, str) or _PLAIN.fullmatch(value):
        return None
    written = _WRITTEN.fullmatch(value.strip())
    return (written["sign"] or written["unit"]) if written else None


def _shown(name: str, values: Iterable[object]) -> tuple[DecimalMark | None, str | None]:
    """Return the mark that a column shows, and a text with a comma that may be either."""
    sure: dict[DecimalMark, list[str]] = {".": [], ",": []}
    doubtful: str | None = None
    for value in values:
        if not isinstance(value, str) or not ("," in value or "." in value):
            continue
        written = _WRITTEN.fullmatch(value.strip())
        told = _told(written) if written else None
        if told == "?":
            doubtful = value
        elif told:
            sure[told].append(value)
    points, commas = sure["."], sure[","]
    if min(len(points), len(commas)) * _SLIP > max(len(points), len(commas)):
        raise Undecided(f"column {name}: {commas[0]!r} has a decimal comma, {points[0]!r} a decimal point")
    if not points and not commas:
        return None, doubtful
    return "," if len(commas) > len(points) else ".", doubtful


def _told(written: re.Match[str]) -> Literal[".", ",", "?"] | None:
    """Return the mark that one text shows; `?` for a comma that may be either, None where it shows nothing.

    A single point before three digits shows nothing: it is a decimal point unless the column has decimal commas.
    """
    digits = _SPACING.sub("", written["digits"])
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return None
    mark: DecimalMark = "." if digits[last] == "." else ","
    if _OTHER[mark] in digits:
        return mark
    if digits.count(mark) > 1:
        return _OTHER[mark]
    before, after = digits[:last], digits[last + 1 :]
    grouped = len(after) == 3 and 1 <= len(before) <= 3 and not before.startswith("0")
    if not grouped or written["exponent"] or _SPACING.search(written["digits"]):
        return mark
    return "?" if mark == "," else None


def _read(written: re.Match[str], mark: DecimalMark) -> Decimal:
    whole, _, fraction = written["digits"].partition(mark)
    whole = _SPACING.sub("_", whole.strip()).replace(_OTHER[mark], "_")
    if not _GROUPED.fullmatch(whole) or (fraction and not fraction.strip().isdecimal()):
        return NOT_A_NUMBER
    scale = int(written["exponent"] or 0) + _SCALES.get((written["scale"] or "").upper(), 0)
    minus = "-" if written["minus"] in ("-", "\u2212") else ""
    try:
        return Decimal(f"{minus}{whole.replace('_', '') or '0'}.{fraction.strip() or '0'}").scaleb(scale)
    except InvalidOperation:
        return NOT_A_NUMBER


def printable(text: str, spared: str = "") -> str:
    """Return a text in which nothing can steer a terminal: what does not show is a replacement character.

    Args:
        spared: characters that stay, such as line ends.
    """
    return "".join(each if each.isprintable() or each in spared else "\N{REPLACEMENT CHARACTER}" for each in text)


def excerpt(text: str, length: int = 120) -> str:
    """Return the beginning of a text on one line, for a message; nothing in it can steer a terminal."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= length else line[:length] + CUT


def plain_decimal(value: Decimal) -> str:
    """Write a decimal in its one canonical form: no exponent, no trailing zeros."""
    if not value:
        return "0"
    text = str(value)
    if "E" in text or len(text) > _PRECISE:
        return format(value.normalize(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text  # the same, in a quarter of the time
