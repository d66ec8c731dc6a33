"""From events to the long frame that models read: `unique_id, ds, y, high, low`.

`ds` is the bar's close (tz-naive UTC); prices stand in the share terms of the origin's session, by the splits
known then.  Nothing after the origin, and nothing recorded after `known_at`, enters a frame.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

import numpy as np
import orjson
import pandas as pd

from contracts.actions import newest_splits, split_factor
from contracts.events import BarClosed, CorporateActionAnnounced
from contracts.frames import canonical_head
from forecasting.data.calendars import session_of

COLUMNS = ("unique_id", "ds", "y", "high", "low")
_PIECE = 50_000  # rows that are written at once
_PLAIN_FROM, _PLAIN_BELOW = 1e-4, 1e16  # numbers that `repr` and orjson write alike: without an exponent


def newest_bars(
    bars: Iterable[BarClosed],
    *,
    interval: str = "P1D",
    origin: datetime | None = None,
    known_at: datetime | None = None,
) -> list[BarClosed]:
    """Keep the highest revision of each bar, by symbol and close, as known at a moment.

    Args:
        bars: revisions in any order.
        origin: the last close to take, inclusive.
        known_at: leave out what was recorded later.
    """
    newest: dict[tuple[str, datetime], BarClosed] = {}
    for bar in bars:
        if bar.interval != interval or (origin is not None and bar.closed_at > origin):
            continue
        if known_at is not None and bar.recorded_at > known_at:
            continue
        name = (bar.symbol, bar.closed_at)
        held = newest.get(name)
        if held is None or bar.revision >= held.revision:
            newest[name] = bar
    return [newest[name] for name in sorted(newest)]


def symbol_frame(
    bars: Iterable[BarClosed],
    actions: Iterable[CorporateActionAnnounced] = (),
    *,
    interval: str = "P1D",
    origin: datetime | None = None,
    known_at: datetime | None = None,
    sessions: int | None = None,
    exchange: str = "XNYS",
) -> pd.DataFrame:
    """Return one symbol's frame at an origin (default: its last bar), of the last `sessions` bars or all.

    Prices are divided by the splits between their session and the origin's: a later split changes nothing.
    """
    kept = newest_bars(bars, interval=interval, origin=origin, known_at=known_at)
    if not kept:
        return empty_frame()
    if sessions is not None:
        kept = kept[-sessions:]
    known = [action for action in actions if known_at is None or action.recorded_at <= known_at]
    splits = newest_splits(action.to_record() for action in known if action.symbol == kept[0].symbol)
    until = session_of(kept[-1].closed_at, exchange)
    factors = np.ones(len(kept))
    if splits:
        factors = np.array([split_factor(splits, session_of(bar.closed_at, exchange), until) for bar in kept])
    return pd.DataFrame(
        {
            "unique_id": [bar.symbol for bar in kept],
            "ds": np.array([bar.closed_at.replace(tzinfo=None) for bar in kept], dtype="datetime64[ns]"),
            "y": np.array([bar.close for bar in kept]) / factors,
            "high": np.array([bar.high for bar in kept]) / factors,
            "low": np.array([bar.low for bar in kept]) / factors,
        }
    )


def empty_frame() -> pd.DataFrame:
    """Return a frame of no bars."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _KINDS.items()})


_KINDS = {"unique_id": "object", "ds": "datetime64[ns]", "y": "float64", "high": "float64", "low": "float64"}


def canonical_bytes(frame: pd.DataFrame) -> bytes:
    """Write a frame as text that is the same wherever it is made: shortest exact decimals, rows by symbol and time."""
    return b"".join(_canonical_parts(frame))


def frame_sha256(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame's canonical bytes."""
    digest = sha256()
    for part in _canonical_parts(frame):
        digest.update(part)
    return digest.hexdigest()


def piece_hashes(frame: pd.DataFrame, edges: Sequence[int]) -> list[str]:
    """Return the SHA-256 (`frame_sha256`) of each piece of a frame, whose rows are in order.

    Args:
        edges: where pieces begin, and the number of rows.
    """
    columns = [name for name in COLUMNS if name in frame]
    head, lines = canonical_head(columns), _canonical_lines(frame, columns)
    return [sha256(head + "".join(lines[first:until]).encode()).hexdigest() for first, until in pairwise(edges)]


def _canonical_parts(frame: pd.DataFrame) -> Iterator[bytes]:
    """Yield the canonical bytes a piece at a time: of millions of bars they take more memory than the frame."""
    columns = [name for name in COLUMNS if name in frame]
    yield canonical_head(columns)
    if not _is_ordered(frame):
        frame = frame.sort_values(["unique_id", "ds"], kind="stable")
    for first in range(0, len(frame), _PIECE):
        piece = frame.iloc[first : first + _PIECE]
        yield "".join(_canonical_lines(piece, columns)).encode()


def _canonical_lines(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Write a line for each row, as `canonical_frame_bytes` does."""
    stamps = np.datetime_as_string(frame["ds"].to_numpy(dtype="datetime64[us]"), unit="us").tolist()
    numbers = np.ascontiguousarray(frame[list(columns[2:])].to_numpy(dtype=np.float64))
    size = np.abs(numbers)
    if len(numbers) and ((size >= _PLAIN_FROM) & (size < _PLAIN_BELOW)).all():
        texts = orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY).decode()[2:-2].split("],[")
    else:
        texts = [",".join(map(repr, row)) for row in numbers.tolist()]
    return [f"{name},{at},{text}\n" for name, at, text in zip(frame["unique_id"], stamps, texts, strict=True)]


def _is_ordered(frame: pd.DataFrame) -> bool:
    """Tell whether the rows stand by symbol and time."""
    symbols, times = frame["unique_id"].to_numpy(dtype=object), frame["ds"].to_numpy()
    later = symbols[1:] > symbols[:-1]
    return bool((later | ((symbols[1:] == symbols[:-1]) & (times[1:] >= times[:-1]))).all())
