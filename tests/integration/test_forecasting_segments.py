"""Segments of the log as Arrow files: the same columns as the log gives, whether they were saved, lost or broken."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from forecasting.data import segments
from forecasting.data.columns import bar_columns
from forecasting.data.segments import Segments
from forecasting.settings import ForecastingSettings
from streaming.publisher import Publisher
from streaming.ranges import watermarks
from streaming.reader import read_all
from tests.support.markets import bar
from tests.support.topics import clear_topics, make_anew, produce

BARS = [bar(symbol, day, 10.0 + day) for day in range(25) for symbol in ("A", "B", "C")]


@pytest.fixture
def settings(isolated, tmp_path: Path, monkeypatch) -> Iterator[ForecastingSettings]:
    monkeypatch.setattr(segments, "LENGTH", 10)
    monkeypatch.setattr(segments, "_CHUNK", 4)
    settings = ForecastingSettings(home=tmp_path)
    publish(settings, BARS)
    yield settings
    clear_topics(settings)


@pytest.fixture
def decoded(monkeypatch) -> list[int]:
    """Return the offsets that are read from the log, not from files."""
    offsets: list[int] = []
    plain = segments.bar_columns

    def watched(records):
        offsets.extend(record.offset for record in records)
        return plain(records)

    monkeypatch.setattr(segments, "bar_columns", watched)
    return offsets


def publish(settings: ForecastingSettings, bars: list[BarClosed]) -> None:
    with Publisher(settings, "/tests") as publisher:
        for each in bars:
            publisher.publish(each, time=each.recorded_at)


def ranges(settings: ForecastingSettings) -> dict[int, tuple[int, int]]:
    return watermarks(settings, STOCK_DATA)


def rows(table: pa.Table) -> list[dict]:
    return sorted(table.to_pylist(), key=lambda row: (row["symbol"], row["offset"]))


def truth(settings: ForecastingSettings) -> list[dict]:
    return rows(bar_columns(read_all(settings, STOCK_DATA)))


def files(settings: ForecastingSettings) -> list[Path]:
    return sorted(settings.home.glob("state/*segments/*/*"))


def test_second_reading_takes_all_but_the_end_from_files(settings, decoded):
    first = Segments(settings).read(ranges(settings), [])
    assert len(decoded) == len(BARS)
    whole = {path.name.split("-")[0] for path in files(settings)}
    assert whole, "no segment was whole"
    decoded.clear()

    second = Segments(settings).read(ranges(settings), [])

    assert rows(first) == rows(second) == truth(settings)
    assert len(decoded) == sum((high - low) % 10 for low, high in ranges(settings).values())
    publish(settings, [replace(each, revision=1) for each in BARS[:9]])
    assert rows(Segments(settings).read(ranges(settings), [])) == truth(settings)


def test_any_part_of_the_log_is_what_the_log_gives_of_it(settings):
    store = Segments(settings)
    for start in (0, 3, 9, 10, 17):
        for end in (start, start + 1, 19, 20, 25):
            wanted = {number: (start, min(end, high)) for number, (_, high) in ranges(settings).items()}
            expected = [row for row in truth(settings) if start <= row["offset"] < end]
            assert rows(store.read(wanted, [])) == expected


def test_file_that_was_altered_is_made_again(settings, decoded):
    Segments(settings).read(ranges(settings), [])
    for path in files(settings):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    decoded.clear()

    assert rows(Segments(settings).read(ranges(settings), [])) == truth(settings)
    assert len(decoded) == len(BARS)


def test_segments_of_a_log_that_went_on_otherwise_are_made_again(settings, decoded):
    Segments(settings).read(ranges(settings), [])
    store = Segments(settings)
    for (partition, number), path in list(store._held.items()):
        table = pa.ipc.open_file(path.read_bytes()).read_all()
        path.unlink()
        last = next(record for record in read_all(settings, STOCK_DATA) if record.partition == partition)
        store._save(partition, number, table.slice(0, 1), replace(last, headers={"ce_id": "of another event"}))
    decoded.clear()

    assert rows(Segments(settings).read(ranges(settings), [])) == truth(settings)
    assert len(decoded) == len(BARS)


def test_segments_of_a_topic_made_again_or_of_other_code_are_thrown_away(settings, monkeypatch):
    Segments(settings).read(ranges(settings), [])
    before = files(settings)
    make_anew(settings, STOCK_DATA)
    publish(settings, BARS[30:])
    assert rows(Segments(settings).read(ranges(settings), [])) == truth(settings)
    assert not {path.parent for path in before} & {path.parent for path in files(settings)}

    monkeypatch.setattr(segments, "_code", lambda: "other code")
    Segments(settings)
    assert files(settings) == []


def test_segment_with_unreadable_messages_in_it_is_not_kept(settings):
    publish(settings, BARS)
    place = next(record.partition for record in read_all(settings, STOCK_DATA) if record.key == "A")
    produce(settings, STOCK_DATA, b"nonsense", b"A", partition=place)
    publish(settings, BARS)
    for _ in range(2):
        dead: list = []
        assert rows(Segments(settings).read(ranges(settings), dead)) == truth(settings)
        assert len(dead) == 1
