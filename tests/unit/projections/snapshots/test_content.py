"""Snapshot rows, bytes and manifest."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.read_models.bars import BARS
from projections.read_models.revisions import REVISIONS
from projections.snapshots.content import (
    SnapshotManifest,
    bars_at,
    columns_of,
    csv_bytes,
    file_name,
    manifest_bytes,
    manifest_of,
    read_manifest,
    snapshot_faults,
)
from tests.support.logs import bar, folded, log_of

BAR = st.builds(bar, st.just("AAPL"), st.integers(0, 4), st.integers(0, 2), st.sampled_from([409.5, 410.25, 412.0]))


def manifest() -> SnapshotManifest:
    rows = list(folded(REVISIONS, log_of([bar(), bar(day=1)])).values())
    return SnapshotManifest(
        "stock-data", "e1", {0: 2, 10: 5}, columns_of(), (manifest_of("AAPL_P1D_2012.csv", rows, csv_bytes(rows)),)
    )


@given(events=st.lists(BAR, max_size=20), cut=st.integers(0, 20))
@settings(max_examples=150, deadline=None)
def test_bars_at_any_offset_are_what_the_newest_bars_were_there(events, cut):
    log = log_of(events, partitions=1)
    revisions = list(folded(REVISIONS, log).values())

    rows = bars_at(revisions, {0: cut}).get("P1D", [])

    then = folded(BARS, log[:cut])
    assert [row["closed_at"] for row in rows] == sorted(document["closed_at"] for document in then.values())
    assert csv_bytes(rows) == csv_bytes(sorted(then.values(), key=lambda document: document["closed_at"]))


def test_csv_reads_back_exactly_what_was_written():
    (row,) = folded(REVISIONS, log_of([bar(close=411.2300000000001, exchange=None, symbol='A,"B')])).values()

    (read,) = csv.DictReader(io.StringIO(csv_bytes([row]).decode()))

    assert float(read["close"]) == 411.2300000000001
    assert read["closed_at"] == "2012-01-03T21:00:00Z"
    assert (read["symbol"], read["exchange"], read["revision"]) == ('A,"B', "", "0")


@pytest.mark.parametrize(
    ("symbol", "name"),
    [("AAPL", "AAPL_P1D_2012.csv"), ("BRK.B", "BRK.B_P1D_2012.csv"), ("../x", "..%2Fx_P1D_2012.csv"),
     ("^GSPC", "^GSPC_P1D_2012.csv")],
)  # fmt: skip
def test_file_name_never_leaves_the_folder(symbol, name):
    assert file_name(symbol, "P1D", "2012") == name


def test_manifest_reads_back_as_it_was_written():
    assert read_manifest(manifest_bytes(manifest())) == manifest()


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"rows": 2', b'"rows": 3'), (b'"10": 5', b'"10": 6'), (b"{", b""), (b'"format": 2', b'"format": 9')],
)
def test_manifest_altered_or_torn_is_refused(old, new):
    content = manifest_bytes(manifest())

    with pytest.raises(ValueError, match=r"manifest\.json"):
        read_manifest(content.replace(old, new))
    with pytest.raises(ValueError, match=r"manifest\.json"):
        read_manifest(content[:-20])
    with pytest.raises(ValueError, match=r"manifest\.json"):
        read_manifest(content[:-1])


def test_faults_of_a_file_name_what_happened_to_it():
    (file,) = manifest().files
    content = csv_bytes(folded(REVISIONS, log_of([bar(), bar(day=1)])).values())

    assert snapshot_faults(file, content) == []
    assert snapshot_faults(file, None) == ["AAPL_P1D_2012.csv is missing"]
    assert snapshot_faults(file, content[:-3]) == [f"AAPL_P1D_2012.csv is torn: {file.size - 3} bytes of {file.size}"]
    assert "altered" in snapshot_faults(file, content.replace(b"411.0", b"411.1"))[0]
    assert "altered" in snapshot_faults(replace(file, sha256="0" * 64), content)[0]
