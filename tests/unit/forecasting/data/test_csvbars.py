"""A backtest reads the files that the producers' source reads, whatever program wrote them."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from contracts.files.columns import Ways
from forecasting.data.csvbars import read_csv_bars
from forecasting.data.windows import BadFrame
from tests.unit.contracts.files.test_columns import EXPECTED, FILES

CLOSES = [pd.Timestamp(day).replace(hour=21) for day, *_ in EXPECTED]  # of New York, in winter
ROW = "10,11,9.5,10.5"


def told(path: Path, ways: Ways | None = None) -> list[tuple[object, ...]]:
    frame, found, _ = read_csv_bars(path, ways=ways)
    assert found == []
    return list(frame.itertuples(index=False, name=None))


@pytest.mark.parametrize("name", FILES)
def test_file_that_the_source_reads_is_read_alike(tmp_path: Path, name: str) -> None:
    (tmp_path / "ACME.csv").write_text(FILES[name])
    bars = zip(CLOSES, EXPECTED, strict=True)
    assert told(tmp_path) == [("ACME", at, float(c), float(h), float(low)) for at, (_, _, h, low, c, _) in bars]


@pytest.mark.parametrize(
    ("name", "symbol"), [("BRK.B.csv", "BRK.B"), ("BF%2FB.csv", "BF/B"), ("^GSPC.csv.gz", "^GSPC"), ("A.csv", "A")]
)
def test_symbol_is_the_whole_name_of_its_file(tmp_path: Path, name: str, symbol: str) -> None:
    text = next(iter(FILES.values())).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    assert {row[0] for row in told(tmp_path)} == {symbol}


@pytest.mark.parametrize(
    ("heading", "stamp"),
    [
        ("opened_at,closed_at", "2026-11-23T14:30:00Z,2026-11-23T21:00:00Z"),  # as snapshots of read models have it
        ("closed_at", "2026-11-23T21:00:00Z"),
        ("timestamp", "2026-11-23T16:00:00-05:00"),
        ("ds", "2026-11-23"),
    ],
)
def test_bar_without_volume_closes_when_its_session_does_however_that_is_told(
    tmp_path: Path, heading: str, stamp: str
) -> None:
    (tmp_path / "ACME.csv.gz").write_bytes(gzip.compress(f"{heading},open,high,low,close\n{stamp},{ROW}\n".encode()))
    assert told(tmp_path) == [("ACME", CLOSES[0], 10.5, 11.0, 9.5)]


def test_line_that_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(f"date,open,high,low,close\n2026-11-23,{ROW}\nsoon,{ROW}\n")
    frame, [found], _ = read_csv_bars(tmp_path)
    assert len(frame) == 1
    assert (found.symbol, found.kind, found.first) == ("ACME", "BROKEN", "line 3")


def test_file_that_can_be_read_in_two_ways_is_refused_until_it_is_said_which(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(f"date,open,high,low,close\n11/10/2026,{ROW}\n")
    with pytest.raises(BadFrame, match=r"set FORETICK_CSV_DATE_FORMAT"):
        read_csv_bars(tmp_path)
    assert [at.day for _, at, *_ in told(tmp_path, Ways(date_format="%m/%d/%Y"))] == [10]


def test_archive_that_is_none_or_was_cut_off_is_told(tmp_path: Path) -> None:
    whole = gzip.compress(next(iter(FILES.values())).encode())
    for data in (b"no archive", whole[:-9], whole[:30]):
        (tmp_path / "A.csv.gz").write_bytes(data)
        with pytest.raises(BadFrame, match="cannot be unpacked"):
            read_csv_bars(tmp_path)


def test_line_of_a_time_that_nothing_can_be_computed_with_is_refused_and_costs_no_other(tmp_path: Path) -> None:
    far = ("3012-01-06", "1502-01-06", "9999-12-31T23:00:00-05:00", "0001-01-01T00:00:00+05:00")
    lines = [f"2012-01-0{day},{ROW}" for day in (3, 4, 5)] + [f"{day},{ROW}" for day in far]
    (tmp_path / "ACME.csv").write_text("\n".join(["date,open,high,low,close", *lines]))
    frame, found, _ = read_csv_bars(tmp_path)
    assert (len(frame), len(found)) == (3, 4)
    assert {each.kind for each in found} == {"BROKEN"}
