"""Which bars were counted already: bit masks by year, exact and small (46 bytes a year of daily bars)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

_SECONDS = {"H": 3600, "M": 60, "S": 1}
_SHORT = re.compile(r"PT(\d+)([HMS])")
_DAY = 86400

Masks = Mapping[str, bytes]


def width(interval: str) -> int:
    """Return the seconds that one bit stands for: the interval's, and at most a day."""
    found = _SHORT.fullmatch(interval)
    return min(_DAY, int(found[1]) * _SECONDS[found[2]]) if found else _DAY


def holds(masks: Masks, interval: str, closed_at: datetime, revision: int) -> bool:
    """Tell whether this revision of this bar was marked."""
    name, bit = _place(interval, closed_at, revision)
    return _is_set(masks.get(name, b""), bit)


def holds_any(masks: Masks, interval: str, closed_at: datetime) -> bool:
    """Tell whether any revision of this bar was marked."""
    name, bit = _place(interval, closed_at, 0)
    year = name.partition("r")[0]
    return any(_is_set(mask, bit) for other, mask in masks.items() if other.partition("r")[0] == year)


def mark_bar(masks: Masks, interval: str, closed_at: datetime, revision: int) -> dict[str, bytes]:
    """Return the masks with this revision of this bar marked."""
    name, bit = _place(interval, closed_at, revision)
    value = int.from_bytes(masks.get(name, b""), "little") | 1 << bit
    return {**masks, name: value.to_bytes((value.bit_length() + 7) // 8, "little")}


def _place(interval: str, closed_at: datetime, revision: int) -> tuple[str, int]:
    start = datetime(closed_at.year, 1, 1, tzinfo=UTC)
    return f"{closed_at.year}r{revision}", int((closed_at - start).total_seconds()) // width(interval)


def _is_set(mask: bytes, bit: int) -> bool:
    index, shift = divmod(bit, 8)
    return index < len(mask) and bool(mask[index] >> shift & 1)
