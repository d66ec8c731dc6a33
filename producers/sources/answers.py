"""JSON that vendors answer with."""

import json
from decimal import Decimal
from typing import Any

from contracts.files.numbers import NOT_A_NUMBER, excerpt
from producers.sources.base import VendorDown


def parse_json(text: str) -> Any:
    """Parse JSON with every fraction as a decimal.

    Raises:
        VendorDown: the text is no JSON: a truncated answer, a page for people.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=lambda _: NOT_A_NUMBER)
    except ValueError as error:
        raise VendorDown(f"the answer is no JSON ({error}): {excerpt(text)}") from error
