"""What must hold of prices, counts and symbols, and which of it a bar breaks."""

import re
from math import isfinite
from typing import Any

INFINITY = float("inf")
LONGS = 1 << 63
SYMBOL_PATTERN = r"^[^\s|\x00-\x1f]+$"
SYMBOL_LENGTH = 32


def symbol_fault(symbol: str) -> str:
    """Say why something cannot be a symbol; empty where it can: `BF/B`, `^GSPC`, `005930.KS`."""
    if not re.fullmatch(SYMBOL_PATTERN, symbol) or len(symbol) > SYMBOL_LENGTH:
        return f"{symbol!r} is no symbol: 1 to {SYMBOL_LENGTH} characters, none of them blank or |"
    if "\\" in symbol or symbol.startswith("~") or {"", ".", ".."}.intersection(symbol.split("/")):
        return f"{symbol!r} is a path, not a symbol"
    return ""


def bar_violations(bar: Any) -> list[str]:
    """Say in words which rules a bar breaks."""
    prices = {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close}
    found = [f"{name} {value} is not a positive finite price" for name, value in prices.items() if not positive(value)]
    if not found:
        if bar.low > min(bar.open, bar.close):
            found.append(f"low {bar.low} is above open {bar.open} or close {bar.close}")
        if bar.high < max(bar.open, bar.close):
            found.append(f"high {bar.high} is below open {bar.open} or close {bar.close}")
    if not (isfinite(bar.volume) and bar.volume >= 0):
        found.append(f"volume {bar.volume} is not a finite number from 0")
    if bar.opened_at >= bar.closed_at:
        found.append(f"opened_at {bar.opened_at} is not before closed_at {bar.closed_at}")
    if bar.revision < 0:
        found.append(f"revision {bar.revision} is negative")
    if bar.vwap is not None and not positive(bar.vwap):
        found.append(f"vwap {bar.vwap} is not a positive finite price")
    if bar.trades is not None and not 0 <= bar.trades < LONGS:
        found.append(f"trades {bar.trades} is not a count from 0 to 2^63 - 1")
    if not bar.symbol:
        found.append("symbol is empty")
    return found


def positive(value: float | None) -> bool:
    """Tell whether there is a finite number above 0."""
    return value is not None and isfinite(value) and value > 0
