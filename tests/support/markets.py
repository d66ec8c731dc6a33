"""Made-up markets for tests: prices whose volatility comes in waves, on real sessions."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from contracts.events import BarClosed, CorporateActionAnnounced
from forecasting.data.calendars import closes_after
from forecasting.data.windows import Floats

FIRST = np.datetime64("2006-01-03T21:00:00", "ns")


def sessions(count: int, first: np.datetime64 = FIRST) -> np.ndarray:
    """Return the closes of `count` sessions after a moment."""
    return closes_after(np.array([first]), count)[0]


def market(symbols: int = 3, bars: int = 420, seed: int = 7) -> pd.DataFrame:
    """Return a long frame of a GARCH-like market: fat tails, volatility in waves, no drift."""
    random = np.random.default_rng(seed)
    frames = [symbol_of(f"S{number}", random, bars) for number in range(symbols)]
    return pd.concat(frames, ignore_index=True)


def symbol_of(name: str, random: np.random.Generator, bars: int) -> pd.DataFrame:
    """Return one symbol's bars."""
    variance, returns = 1e-4, np.zeros(bars)
    shocks = random.standard_normal(bars)
    for bar in range(1, bars):
        variance = 2e-6 + 0.08 * returns[bar - 1] ** 2 + 0.9 * variance
        returns[bar] = np.sqrt(variance) * shocks[bar]
    close = 50 * np.exp(np.cumsum(returns))
    spread: Floats = np.exp(np.abs(random.standard_normal((2, bars))) * 0.006)
    return pd.DataFrame(
        {"unique_id": name, "ds": sessions(bars), "y": close, "high": close * spread[0], "low": close / spread[1]}
    )


def bar(symbol: str = "S0", day: int = 0, close: float = 10.0, revision: int = 0, **changes: object) -> BarClosed:
    """Return the bar of the session number `day` after 2006-01-03."""
    closed_at = pd.Timestamp(sessions(day + 1)[-1], tz="UTC").to_pydatetime()
    fields = {
        "symbol": symbol,
        "interval": "P1D",
        "opened_at": closed_at - timedelta(hours=6, minutes=30),
        "closed_at": closed_at,
        "open": close,
        "high": close * 1.01,
        "low": close * 0.99,
        "close": close,
        "volume": 100.0,
        "currency": "USD",
        "source": "test",
        "revision": revision,
        "recorded_at": closed_at + timedelta(minutes=revision),
        "payload_sha256": "",
    }
    return BarClosed(**(fields | changes))  # type: ignore[arg-type]


def split(symbol: str, ex_date: datetime, ratio: float, **changes: object) -> CorporateActionAnnounced:
    """Return a split announced a week ahead."""
    fields = {
        "symbol": symbol,
        "kind": "SPLIT",
        "ex_date": ex_date.date(),
        "ratio": ratio,
        "source": "test",
        "revision": 0,
        "recorded_at": ex_date.replace(tzinfo=UTC) - timedelta(days=7),
    }
    return CorporateActionAnnounced(**(fields | changes))  # type: ignore[arg-type]
