"""A snapshot that goes on from an earlier one is, to the byte, what one in an empty folder is."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from projections.read_models.revisions import REVISIONS
from projections.snapshots.content import MANIFEST, UNDIVIDED, bars_at, csv_bytes, read_manifest
from projections.snapshots.files import stage, write_snapshot
from projections.snapshots.parquet import parquet_as_csv, parquet_bytes
from projections.snapshots.verification import as_told, untouched, verify
from streaming.damage import LogUnsound
from tests.support.logs import bar, folded, log_of

FIRST, LAST = (moment.replace(tzinfo=UTC) for moment in (datetime.min, datetime.max))


class MemoryReadModel:
    """The read model and the log that it was folded from, as far as a snapshot asks for them."""

    def __init__(self) -> None:
        self.events: list[BarClosed] = []
        self.made, self.log_epoch, self.damage = 1, "e1", None
        self.written: list[str] = []
        self._log, self._documents = [], []

    @property
    def records(self):
        if len(self._log) < len(self.events):
            self._log = log_of(self.events)
            self._documents = list(folded(REVISIONS, self._log).values())
        return self._log

    def generation(self, name):
        return {"generation": self.made}

    def checkpoints(self, name):
        ends = dict.fromkeys((0, 1), 0)
        for record in self.records:
            ends[record.partition] = record.offset + 1
        return [
            {"topic": STOCK_DATA.name, "partition": number, "next_offset": end, "epoch": "e1"}
            for number, end in ends.items()
        ]

    def distinct(self, collection, field):
        return sorted({event.symbol for event in self.events})

    def scan(self, collection, where):
        symbol, interval = where["symbol"], where.get("interval")
        first, until = where.get("closed_at", {"$gte": FIRST, "$lt": LAST}).values()
        for document in self._documents if self.records else ():
            if document["symbol"] == symbol and interval in (None, document["interval"]):
                yield from [document] if first <= document["closed_at"] < until else []

    def epoch(self, topic):
        return self.log_epoch

    def read(self, topic, start, end):
        if self.damage:
            raise self.damage
        return (r for r in self.records if start[r.partition] <= r.offset < end[r.partition])

    def snapshot(self, out: Path, position=None, stays=untouched):
        before = inodes(out)
        manifest = write_snapshot(self, self, out, position, stays=stays)
        self.written = sorted(name for name, found in inodes(out).items() if before.get(name) != found)
        return manifest


def inodes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.glob("*.csv")} if folder.exists() else {}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def minute(symbol: str, day: int, revision: int = 0) -> BarClosed:
    closed = bar(symbol, day).closed_at
    return replace(bar(symbol, day, revision), interval="PT1M", opened_at=closed - timedelta(minutes=1))


@pytest.fixture
def model() -> MemoryReadModel:
    made = MemoryReadModel()
    made.events = [bar(symbol, day) for day in range(0, 900, 30) for symbol in ("AAPL", "IBM")]
    return made


def test_snapshot_writes_a_file_a_year_and_of_minutes_a_month(model, tmp_path):
    model.events += [minute("IBM", day) for day in (0, 20, 40)]
    manifest = model.snapshot(tmp_path)
    years = [f"{symbol}_P1D_{year}.csv" for symbol in ("AAPL", "IBM") for year in (2012, 2013, 2014)]
    assert [file.name for file in manifest.files] == [*years, "IBM_PT1M_2012-01.csv", "IBM_PT1M_2012-02.csv"]
    assert [file.rows for file in manifest.files] == [13, 12, 5, 13, 12, 5, 2, 1]
    assert verify(tmp_path) == []


def test_snapshot_writes_again_only_the_years_that_changed(model, tmp_path):
    model.snapshot(tmp_path)
    model.events += [bar("AAPL", 901)]
    model.snapshot(tmp_path)
    assert model.written == ["AAPL_P1D_2014.csv"]
    model.events += [bar("IBM", 30, revision=1, close=410.5), bar("IBM", 1200), bar("MSFT", 0)]
    model.snapshot(tmp_path)
    assert model.written == ["IBM_P1D_2012.csv", "IBM_P1D_2015.csv", "MSFT_P1D_2012.csv"]
    model.snapshot(tmp_path)
    assert model.written == []
    assert verify(tmp_path) == []


@pytest.mark.parametrize("seed", range(6))
def test_snapshot_that_goes_on_is_what_one_in_an_empty_folder_is(seed, tmp_path):
    random, model, symbols = Random(seed), MemoryReadModel(), ("AAPL", "IBM", "A_P1D", "x/y")
    for turn in range(6):
        for _ in range(random.choice((1, 3, 60))):
            make = random.choice((bar, bar, minute))
            model.events.append(make(random.choice(symbols), random.randrange(0, 1500, 25), random.randrange(3)))
        at = {row["partition"]: random.randint(0, row["next_offset"]) for row in model.checkpoints("")}
        position = random.choice((None, None, None, at))
        model.made += random.random() < 0.1
        went_on = model.snapshot(tmp_path / "one", position, random.choice((untouched, as_told)))
        if random.random() < 0.2:
            for path in random.sample(sorted((tmp_path / "one").glob("*_*")), 1 if went_on.files else 0):
                path.unlink()
        afresh = model.snapshot(tmp_path / f"{turn}", position)
        again = model.snapshot(tmp_path / "one", position)
        assert went_on == afresh == again
        assert contents(tmp_path / "one") == contents(tmp_path / f"{turn}")
        assert verify(tmp_path / "one") == []


@pytest.mark.parametrize("stays", [untouched, as_told])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_snapshot_mends_what_was_altered_torn_or_lost(model, tmp_path, ending, stays):
    model.snapshot(tmp_path)
    whole = contents(tmp_path)
    after = (tmp_path / MANIFEST).stat().st_mtime_ns + 10_000_000
    altered, torn, lost = (tmp_path / f"AAPL_P1D_{year}.{ending}" for year in (2012, 2013, 2014))
    altered.write_bytes(altered.read_bytes().replace(b"411.0", b"411.1").replace(b"AAPL", b"AAPM"))
    torn.write_bytes(torn.read_bytes()[:-9])
    lost.unlink()
    for path in (altered, torn):
        os.utime(path, ns=(after, after))
    assert len(verify(tmp_path)) == 3
    model.snapshot(tmp_path, stays=stays)
    assert contents(tmp_path) == whole


def test_snapshot_that_was_interrupted_while_it_was_published_is_told_and_mended(model, tmp_path, monkeypatch):
    model.snapshot(tmp_path / "one")
    model.events += [bar(symbol, 30, revision=1, close=410.5) for symbol in ("AAPL", "IBM")]
    renamed = []

    def interrupted(path, target, rename=Path.rename):
        if len(renamed) == 1:
            raise KeyboardInterrupt
        renamed.append(target)
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.snapshot(tmp_path / "one")
    assert verify(tmp_path / "one") != []
    model.snapshot(tmp_path / "one")
    assert verify(tmp_path / "one") == []
    model.snapshot(tmp_path / "afresh")
    assert contents(tmp_path / "one") == contents(tmp_path / "afresh")


def test_snapshot_of_a_read_model_that_another_took_over_from_is_written_whole(model, tmp_path):
    model.snapshot(tmp_path)
    model.made += 1
    model.snapshot(tmp_path)
    assert len(model.written) == 6


def test_snapshot_whose_log_cannot_be_read_or_is_another_is_written_whole(model, tmp_path):
    model.snapshot(tmp_path)
    model.damage = LogUnsound("stock-data[0]@7: torn")
    model.snapshot(tmp_path)
    assert len(model.written) == 6
    model.damage, model.log_epoch = None, "e2"
    model.snapshot(tmp_path)
    assert len(model.written) == 6
    assert verify(tmp_path) == []


def test_snapshot_of_before_there_were_years_is_verified_and_gives_way(model, tmp_path):
    position = {row["partition"]: row["next_offset"] for row in model.checkpoints("")}
    stage(model, tmp_path, "e1", position, 2, format=UNDIVIDED)
    for path in sorted(tmp_path.glob("*.tmp")):
        path.rename(path.with_suffix(""))
    assert sorted(contents(tmp_path)) == ["AAPL_P1D.csv", "IBM_P1D.csv", MANIFEST]
    assert json.loads((tmp_path / MANIFEST).read_text())["format"] == UNDIVIDED
    assert read_manifest((tmp_path / MANIFEST).read_bytes()).rows == 60
    assert verify(tmp_path) == []
    (tmp_path / "IBM_P1D.parquet").write_text("")
    assert verify(tmp_path) == ["IBM_P1D.parquet is not in the manifest"]
    model.snapshot(tmp_path)
    assert verify(tmp_path) == []
    assert "AAPL_P1D.csv" not in contents(tmp_path)


def test_parquet_holds_what_the_csv_holds_with_its_types():
    bars = [bar(day=day, close=411.2300000000001, vwap=None, trades=day) for day in range(3)]
    rows = bars_at(folded(REVISIONS, log_of(bars)).values(), {0: 9, 1: 9})["P1D"]
    content = parquet_bytes(rows)
    assert parquet_as_csv(content) == csv_bytes(rows)
    assert parquet_as_csv(content[:-1]) == parquet_as_csv(b"") == parquet_as_csv(csv_bytes(rows)) == b""
    pyarrow = pytest.importorskip("pyarrow")
    table = pytest.importorskip("pyarrow.parquet").read_table(pyarrow.BufferReader(content))
    assert table.schema.field("closed_at").type == pyarrow.timestamp("us", "UTC")
    assert table.schema.field("close").type == pyarrow.float64()
    assert table.column("closed_at").to_pylist() == [event.closed_at for event in bars]
    assert table.column("vwap").null_count == 3
