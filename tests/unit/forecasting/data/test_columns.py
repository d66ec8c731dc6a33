"""The long frame from columns: what the frames of single symbols are, under each other."""

import random

import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import BarClosed, CorporateActionAnnounced
from forecasting.data import frames
from forecasting.data.columns import SCHEMA, bar_columns, long_frame
from forecasting.data.frames import canonical_bytes, frame_sha256, symbol_frame
from tests.support.logs import log_of
from tests.support.markets import bar, split

SYMBOLS = ("A", "B", "Ä")
BARS = [bar(symbol, day, 10.0 + day, revision) for symbol in SYMBOLS for day in range(3) for revision in range(2)]
SPLITS = [
    split(symbol, bar(day=day).closed_at, ratio, revision=revision)
    for symbol in ("A", "Ä", "C")
    for day in (1, 2)
    for revision, ratio in enumerate((2.0, 0.1))
]
HOURLY = bar("A", 0, 99.0, interval="PT1H")


def one_after_another(bars: list[BarClosed], actions: list[CorporateActionAnnounced]) -> pd.DataFrame:
    """Return the long frame by its definition."""
    of = {symbol: [each for each in bars if each.symbol == symbol] for symbol in sorted(SYMBOLS)}
    announced = {symbol: [each for each in actions if each.symbol == symbol] for symbol in SYMBOLS}
    found = [symbol_frame(of[symbol], announced[symbol]) for symbol in of if of[symbol]]
    return pd.concat([frame for frame in found if len(frame)] or [frames.empty_frame()], ignore_index=True)


@given(
    st.lists(st.sampled_from([*BARS, HOURLY]), max_size=30),
    st.lists(st.sampled_from(SPLITS), max_size=4),
    st.integers(1, 7),
)
@settings(max_examples=60, deadline=None)
def test_long_frame_is_the_frames_of_all_symbols_whatever_the_order(bars, actions, size):
    records = log_of(bars, partitions=1)
    tables = [bar_columns(records[first : first + size]) for first in range(0, len(records), size)]

    frame = long_frame(pa.concat_tables([SCHEMA.empty_table(), *tables]), actions)

    expected = one_after_another(bars, actions)
    pd.testing.assert_frame_equal(frame, expected, check_exact=True)
    assert canonical_bytes(frame) == canonical_bytes(expected)


def test_hash_does_not_depend_on_the_order_of_rows_or_the_size_of_pieces(monkeypatch):
    bars = random.Random(7).sample(BARS, len(BARS))
    frame = long_frame(bar_columns(log_of(bars)))
    before = frame_sha256(frame)

    monkeypatch.setattr(frames, "_PIECE", 2)

    assert frame_sha256(frame) == frame_sha256(frame.sample(frac=1, random_state=1)) == before
