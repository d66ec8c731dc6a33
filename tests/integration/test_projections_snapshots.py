"""CSV snapshots of a live read model: consistent, repeatable to the byte, verified."""

import threading
from collections.abc import Iterator

import pytest

from projections.read_models.bars import BARS
from projections.read_models.revisions import REVISIONS
from projections.rebuild import rebuild
from projections.settings import ProjectionSettings
from projections.snapshots.content import MANIFEST, SnapshotManifest, csv_bytes, read_manifest
from projections.snapshots.files import NotThere, snapshot
from projections.snapshots.verification import verify
from streaming.catching_up import KafkaLog
from tests.integration.projecting import SYMBOLS, Running, bars, clear, documents, project, publish
from tests.support.waiting import until


@pytest.fixture
def settings(isolated, tmp_path) -> Iterator[ProjectionSettings]:
    settings = ProjectionSettings(snapshot_seconds=0, snapshots=tmp_path / "periodic")
    yield settings
    clear(settings)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def test_snapshot_holds_the_newest_bars_one_file_for_each_symbol(settings, tmp_path):
    project(settings, [*bars(100), *bars(20, revision=1)], BARS, REVISIONS)

    manifest = snapshot(settings, tmp_path / "out")

    names = {f"{symbol}_P1D_2012.{ending}" for symbol in SYMBOLS for ending in ("csv", "parquet")}
    assert contents(tmp_path / "out").keys() == names | {MANIFEST}
    assert manifest.rows == len(documents(settings, "stock_data")) == 100
    assert sum(manifest.position.values()) == 120
    newest = documents(settings, "stock_data").values()
    for symbol in SYMBOLS:
        rows = sorted((row for row in newest if row["symbol"] == symbol), key=lambda row: row["closed_at"])
        assert (tmp_path / "out" / f"{symbol}_P1D_2012.csv").read_bytes() == csv_bytes(rows)
    assert verify(tmp_path / "out") == []


def test_snapshot_of_the_same_offsets_is_the_same_to_the_byte_after_more_events_and_a_rebuild(settings, tmp_path):
    project(settings, [*bars(100), *bars(20, revision=1)], REVISIONS)
    first = snapshot(settings, tmp_path / "first")

    project(settings, [*bars(50, revision=2), *bars(50, first=100)], REVISIONS)
    snapshot(settings, tmp_path / "live", first.position)
    assert rebuild(settings, REVISIONS.name, accept_difference=True).took_over
    snapshot(settings, tmp_path / "rebuilt", first.position)
    snapshot(settings, tmp_path / "now")

    assert contents(tmp_path / "first") == contents(tmp_path / "live") == contents(tmp_path / "rebuilt")
    assert contents(tmp_path / "now") != contents(tmp_path / "first")


def test_snapshot_beside_live_traffic_is_one_position_of_the_log(settings, tmp_path):
    publish(settings, bars(500))
    done = threading.Event()
    manifests: list[SnapshotManifest] = []

    def taken_at_two_positions() -> bool:
        manifests.append(snapshot(settings, tmp_path / f"{len(manifests)}"))
        return len(manifests) >= 5 and manifests[0].position != manifests[-1].position

    def traffic() -> None:
        first = 500
        while not done.is_set():
            publish(settings, [*bars(20, first=first), *bars(20, first=first, revision=1)])
            first += 20

    with Running(settings, REVISIONS) as running:
        running.catch_up()
        writing = threading.Thread(target=traffic)
        writing.start()
        try:
            until(taken_at_two_positions, "the read model moved between snapshots")
        finally:
            done.set()
            writing.join()
        running.catch_up()

    for number, manifest in enumerate(manifests):
        snapshot(settings, tmp_path / f"{number} again", manifest.position)
        assert contents(tmp_path / f"{number}") == contents(tmp_path / f"{number} again")


def test_snapshot_beyond_the_read_model_or_of_nothing_is_refused(settings, tmp_path):
    with pytest.raises(NotThere, match="has read nothing yet"):
        snapshot(settings, tmp_path)
    project(settings, bars(10), REVISIONS)

    with pytest.raises(NotThere, match="stands at"):
        snapshot(settings, tmp_path, {0: 10_000})


def test_verify_altered_torn_missing_and_foreign_files_are_told(settings, tmp_path):
    project(settings, bars(50), REVISIONS)
    snapshot(settings, tmp_path)
    aapl, fb, goog = (tmp_path / f"{symbol}_P1D_2012.csv" for symbol in ("AAPL", "FB", "GOOG"))
    aapl.write_bytes(aapl.read_bytes().replace(b"409.25", b"409.75", 1))
    fb.write_bytes(fb.read_bytes()[:-10])
    goog.unlink()
    (tmp_path / "XXX_P1D_2012.csv").write_text("stray")

    found = verify(tmp_path)

    assert [fault.split("_")[0] for fault in found] == ["AAPL", "FB", "GOOG", "XXX"]
    assert ["altered" in found[0], "torn" in found[1], "missing" in found[2], "not in the manifest" in found[3]] == [
        True
    ] * 4
    snapshot(settings, tmp_path)
    assert verify(tmp_path) == []
    (tmp_path / MANIFEST).write_bytes((tmp_path / MANIFEST).read_bytes()[:-1])
    assert verify(tmp_path) != []
    (tmp_path / MANIFEST).unlink()
    assert "never finished" in verify(tmp_path)[0]


def test_snapshots_are_written_by_the_running_service_as_bars_come_in(settings):
    settings = settings.model_copy(update={"snapshot_seconds": 0.2})
    manifest = settings.snapshot_folder / MANIFEST

    def rows() -> int:
        return read_manifest(manifest.read_bytes()).rows if manifest.exists() else 0

    publish(settings, bars(50))
    with Running(settings, REVISIONS) as running:
        until(lambda: rows() == 50, "the snapshot is written")
        written = manifest.stat().st_mtime_ns
        publish(settings, bars(5, first=50))
        until(lambda: rows() == 55, "the snapshot follows")
        assert manifest.stat().st_mtime_ns > written
        assert running.service.status()["snapshots"]["rows"] == 55
    assert verify(settings.snapshot_folder) == []


def test_snapshots_full_disk_is_reported_and_leaves_the_last_one_whole(settings, monkeypatch):
    from projections.mongo import Store
    from projections.snapshots import files
    from projections.snapshots.schedule import PeriodicSnapshots

    project(settings, bars(50), REVISIONS)
    store = Store(settings)
    periodic = PeriodicSnapshots(store, KafkaLog(settings), settings.snapshot_folder, 1)
    periodic.write()
    before = contents(settings.snapshot_folder)
    project(settings, bars(50, first=50), REVISIONS)

    def full(path, content):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "_write", full)
        periodic.write()
    assert "No space left" in periodic.failure
    assert contents(settings.snapshot_folder) == before

    periodic.write()
    assert periodic.failure == ""
    assert verify(settings.snapshot_folder) == []
    assert periodic.last.rows == 100
    store.close()
