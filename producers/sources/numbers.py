"""Numbers as vendors write them: decimals first, so that 0.1 stays 0.1 until the event is made."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from producers.sources.base import VendorDown

NOT_A_NUMBER = Decimal("NaN")


def number(value: object) -> Decimal | None:
    """Return a vendor's number as a decimal; None for nothing, NaN for what is no number."""
    if value is None or value == "":
        return None
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool):
        return NOT_A_NUMBER
    try:
        read = Decimal(str(value).strip().replace(",", ""))
    except InvalidOperation:
        return NOT_A_NUMBER
    return NOT_A_NUMBER if read.is_snan() else read  # a signalling one would raise wherever it is looked at


def parse_json(text: str) -> Any:
    """Parse JSON with every fraction as a decimal.

    Raises:
        VendorDown: the text is no JSON: a truncated answer, a page for people.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=lambda _: NOT_A_NUMBER)
    except ValueError as error:
        raise VendorDown(f"the answer is no JSON ({error}): {excerpt(text)}") from error


def excerpt(text: str, length: int = 120) -> str:
    """Return the beginning of a text on one line, for a message."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[:length] + "…"


def plain(value: Decimal) -> str:
    """Write a decimal in its one canonical form: no exponent, no trailing zeros."""
    return format(value.normalize(), "f") if value else "0"
