from datetime import datetime, timedelta
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from contracts.frames import canonical_frame_bytes
from forecasting.data.frames import canonical_bytes, frame_sha256, newest_bars, piece_hashes, symbol_frame
from tests.support.markets import bar, split


def test_newest_bars_in_any_order_keep_the_highest_revision() -> None:
    events = [
        bar(day=0, close=10),
        bar(day=0, close=11, revision=1),
        bar(day=1, close=12),
        bar(day=0, close=9, revision=2),
    ]

    for order in permutations(events):
        assert [(b.close, b.revision) for b in newest_bars(order)] == [(9, 2), (12, 0)]


def test_newest_bars_at_an_origin_hold_nothing_later() -> None:
    events = [bar(day=day) for day in range(4)]

    assert newest_bars(events, origin=events[1].closed_at) == events[:2]


def test_newest_bars_as_known_then_hold_no_later_correction() -> None:
    first, corrected = bar(day=0, close=10), bar(day=0, close=11, revision=1)

    assert newest_bars([first, corrected], known_at=first.recorded_at) == [first]
    assert newest_bars([first, corrected], known_at=corrected.recorded_at) == [corrected]


def test_newest_bars_of_one_interval_leave_out_others() -> None:
    assert newest_bars([bar(interval="PT1H"), bar()]) == [bar()]


def test_frame_across_a_split_stands_in_the_terms_of_the_origin() -> None:
    bars = [bar(day=0, close=100.0), bar(day=1, close=52.0), bar(day=2, close=54.0)]
    halving = split("S0", bars[1].closed_at, 2.0)

    frame = symbol_frame(bars, [halving])

    assert frame["y"].tolist() == [50.0, 52.0, 54.0]
    assert frame["high"].tolist() == pytest.approx([50.5, 52.52, 54.54])


def test_frame_before_the_split_is_not_touched_by_it() -> None:
    bars = [bar(day=0, close=100.0), bar(day=1, close=52.0)]
    halving = split("S0", bars[1].closed_at, 2.0)

    assert symbol_frame(bars, [halving], origin=bars[0].closed_at)["y"].tolist() == [100.0]


def test_frame_as_known_before_the_announcement_is_raw() -> None:
    bars = [bar(day=0, close=100.0), bar(day=1, close=52.0)]
    late = split("S0", bars[1].closed_at, 2.0, recorded_at=bars[1].recorded_at + timedelta(days=1))

    assert symbol_frame(bars, [late], known_at=bars[1].recorded_at)["y"].tolist() == [100.0, 52.0]


def test_frame_of_the_last_sessions_is_the_tail_of_the_whole() -> None:
    bars = [bar(day=day, close=10.0 + day) for day in range(6)]
    halving = split("S0", bars[3].closed_at, 2.0)

    whole, tail = symbol_frame(bars, [halving]), symbol_frame(bars, [halving], sessions=4)

    assert tail.equals(whole.tail(4).reset_index(drop=True))


def test_frame_of_no_bars_is_empty_with_its_columns() -> None:
    assert list(symbol_frame([]).columns) == ["unique_id", "ds", "y", "high", "low"]
    assert len(symbol_frame([bar(day=3)], origin=datetime.fromisoformat("2000-01-01T00:00:00+00:00"))) == 0


@pytest.mark.parametrize(
    "values",
    [
        [1e-4, 1e15, 9007199254740993.0, 0.1, 123456.789, 9.999999999999998e15],  # written in bulk
        [1e-4, 1e16],
        [9.99e-5, 1.0],
        [1.0, np.nan],
        [np.inf, 0.0],
        [5e-324, 1.7976931348623157e308],
        np.exp(np.random.default_rng(1).uniform(np.log(1e-4), np.log(9e15), 20_000)),
        np.random.default_rng(2).lognormal(4, 1, 20_000).round(2),
    ],
)
def test_canonical_bytes_are_what_the_contract_says_of_numbers_of_any_size(values: list[float]) -> None:
    stamps = pd.date_range("2012-01-03 21:00", periods=len(values), freq="s")
    frame = pd.DataFrame({"unique_id": "A", "ds": stamps, "y": values, "high": values, "low": values})
    dated = zip(stamps, values, strict=True)
    rows = [("A", stamp.isoformat(timespec="microseconds"), *[float(value)] * 3) for stamp, value in dated]
    assert canonical_bytes(frame) == canonical_frame_bytes(("unique_id", "ds", "y", "high", "low"), rows)
    alone = frame[["unique_id", "ds", "y"]]
    assert canonical_bytes(alone) == canonical_frame_bytes(("unique_id", "ds", "y"), [row[:3] for row in rows])


def test_canonical_bytes_are_exact_decimals_by_symbol_and_time() -> None:
    frame = pd.concat([symbol_frame([bar("B", 0, 0.1)]), symbol_frame([bar("A", 1, 0.3), bar("A", 0, 1 / 3)])])

    lines = canonical_bytes(frame[["unique_id", "ds", "y"]].sample(frac=1, random_state=1)).decode().splitlines()

    assert lines == [
        "unique_id,ds,y",
        "A,2006-01-04T21:00:00.000000,0.3333333333333333",
        "A,2006-01-05T21:00:00.000000,0.3",
        "B,2006-01-04T21:00:00.000000,0.1",
    ]


def test_frame_hash_moves_with_the_last_digit() -> None:
    frame = symbol_frame([bar(day=0, close=10.0)])
    nudged = frame.assign(y=np.nextafter(frame["y"], 11))

    assert frame_sha256(frame) != frame_sha256(nudged)
    assert frame_sha256(frame) == frame_sha256(frame.copy())


def test_hashes_of_pieces_are_those_of_the_frames_of_each_symbol():
    lengths = {"A": 2, "B": 1, "C": 5}
    frames = [symbol_frame([bar(name, day, 1 / (day + 3)) for day in range(days)]) for name, days in lengths.items()]
    edges = [0, 2, 3, 8]
    assert piece_hashes(pd.concat(frames, ignore_index=True), edges) == [frame_sha256(frame) for frame in frames]
