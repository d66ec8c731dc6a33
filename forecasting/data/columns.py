"""Bars as columns: what a training reads of them, in 50 bytes a bar instead of an event's thousand."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa

from contracts.actions import newest_splits, split_factor
from contracts.events import BarClosed, CorporateActionAnnounced
from forecasting.data.calendars import session_of
from forecasting.data.frames import empty_frame
from forecasting.data.windows import Floats, Ints
from streaming.codec import micros, utc
from streaming.records import Record

_NAME = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("offset", pa.int64()),
        ("schema_id", pa.int32()),
        ("symbol", _NAME),
        ("interval", _NAME),
        ("closed_at", pa.int64()),  # microseconds since 1970
        ("revision", pa.int32()),
        ("close", pa.float64()),
        ("high", pa.float64()),
        ("low", pa.float64()),
    ]
)


def bar_columns(records: Iterable[Record]) -> pa.Table:
    """Return the bars among records as columns, in their order."""
    rows = [
        (
            record.offset,
            record.schema_id,
            bar.symbol,
            bar.interval,
            micros(bar.closed_at),
            bar.revision,
            bar.close,
            bar.high,
            bar.low,
        )
        for record in records
        if isinstance(bar := record.event, BarClosed)
    ]
    columns = zip(*rows, strict=True) if rows else ((),) * len(SCHEMA)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def long_frame(
    bars: pa.Table, actions: Iterable[CorporateActionAnnounced] = (), *, interval: str = "P1D", exchange: str = "XNYS"
) -> pd.DataFrame:
    """Return the frames of all symbols under each other, by symbol and time: what `symbol_frame` gives of each.

    Args:
        bars: of `SCHEMA`; those of a symbol in the order of the log.
    """
    whole = bars.unify_dictionaries().combine_chunks()
    columns = {name: whole[name].chunk(0) for name in SCHEMA.names} if len(whole) else {}
    intervals = columns["interval"].dictionary.to_pylist() if columns else []
    if interval not in intervals:
        return empty_frame()
    kept = np.flatnonzero(np.asarray(columns["interval"].indices) == intervals.index(interval))
    names = columns["symbol"].dictionary.to_pylist()
    ranks = np.empty(len(names), dtype=np.int64)
    ranks[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    codes = np.asarray(columns["symbol"].indices)[kept]
    closed, revision = (np.asarray(columns[name])[kept] for name in ("closed_at", "revision"))
    order = np.lexsort((revision, closed, ranks[codes]))  # stable: of one revision told twice, the later comes last
    codes, closed = codes[order], closed[order]
    newest = np.append((codes[1:] != codes[:-1]) | (closed[1:] != closed[:-1]), True)
    order, codes, closed = order[newest], codes[newest], closed[newest]
    factors = _factors(names, codes, closed, actions, exchange)
    prices = {
        name: np.asarray(columns[column])[kept[order]] / factors
        for name, column in (("y", "close"), ("high", "high"), ("low", "low"))
    }
    ds = closed.astype("datetime64[us]").astype("datetime64[ns]")
    return pd.DataFrame({"unique_id": np.array(names, dtype=object)[codes], "ds": ds, **prices})


def _factors(
    names: list[str],
    codes: Ints,
    closed: Ints,
    actions: Iterable[CorporateActionAnnounced],
    exchange: str,
) -> Floats:
    """Return how many shares of its symbol's last session one share of each bar's has become."""
    factors = np.ones(len(codes))
    announced: dict[str, list[CorporateActionAnnounced]] = {}
    for action in actions:
        announced.setdefault(action.symbol, []).append(action)
    edges = [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1), len(codes)]
    for first, until in pairwise(edges):
        splits = newest_splits(action.to_record() for action in announced.get(names[codes[first]], ()))
        if splits:
            sessions = [session_of(utc(int(at)), exchange) for at in closed[first:until]]
            factors[first:until] = [split_factor(splits, session, sessions[-1]) for session in sessions]
    return factors
