"""What a backup takes of a home, what it takes again, and what it refuses."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from stack.layout import Layout
from stack.run.backup import making
from stack.run.backup.manifest import BackupManifest
from stack.run.backup.repository import BackupRefused, Repository
from stack.run.backup.restoring import check_backup
from streaming.damage import Damaged
from tests.support.brokers import Broker, batch

TOPIC = "stock-data"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    found = Layout(home=tmp_path / "home", cache=tmp_path)
    for folder in found.private():
        folder.mkdir(parents=True, exist_ok=True)
    return found


@pytest.fixture
def broker(layout, monkeypatch) -> Broker:
    broker = Broker(layout.home)
    monkeypatch.setattr(making, "every_end", lambda _: dict(broker.ends))
    monkeypatch.setattr(making, "_settings", lambda _: {"FORETICK_SYMBOLS": "A"})
    monkeypatch.setattr(making.registry, "schemas_of", lambda _: {"stock-data-value": {1: 7}})
    monkeypatch.setattr(making.registry, "export_registry", lambda _: b"zip")
    return broker


def kept(folder: Path, manifest: BackupManifest, end: str) -> bytes:
    """Return a file's bytes as the backup has them."""
    (found,) = (each for each in manifest.files if each.path.endswith(end))
    repository = Repository(folder)
    return b"".join(chunk for piece in found.pieces for chunk in repository.read(piece))


def pieces(manifest: BackupManifest, end: str) -> int:
    (found,) = (each for each in manifest.files if each.path.endswith(end))
    return len(found.pieces)


def test_second_backup_adds_only_what_is_new(layout, broker, tmp_path):
    file, folder = broker.write(TOPIC, 0, [3, 2]), tmp_path / "backup"
    first = making.back_up(layout, folder)
    assert first.ends == {TOPIC: {0: 5}}
    broker.write(TOPIC, 0, [4])
    second = making.back_up(layout, folder)
    assert second.ends == {TOPIC: {0: 9}}
    assert pieces(second, ".log") == 2
    assert kept(folder, second, ".log") == file.read_bytes()
    assert check_backup(folder) == second
    assert {each.name for each in (folder / "pieces").iterdir()} == set(second.pieces())


def test_log_that_was_restored_and_goes_on_otherwise_is_taken_as_a_whole(layout, broker, tmp_path):
    file, folder = broker.write(TOPIC, 0, [3, 2]), tmp_path / "backup"
    making.back_up(layout, folder)
    file.unlink()
    broker.ends.clear()
    broker.write(TOPIC, 0, [3, 2, 1], payload=b"y" * 40)
    manifest = making.back_up(layout, folder)
    assert pieces(manifest, ".log") == 1
    assert kept(folder, manifest, ".log") == file.read_bytes()


def test_what_the_broker_is_writing_is_left_for_the_next_time(layout, broker, tmp_path):
    file, folder = broker.write(TOPIC, 0, [3]), tmp_path / "backup"
    whole = file.read_bytes()
    file.write_bytes(whole + batch(3, 2)[:50])
    manifest = making.back_up(layout, folder)
    assert kept(folder, manifest, ".log") == whole
    file.write_bytes(whole + batch(3, 2))
    assert kept(folder, making.back_up(layout, folder), ".log") == file.read_bytes()


def damaged_byte(broker: Broker) -> None:
    file = broker.write(TOPIC, 2, [3])
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def lost_end(broker: Broker) -> None:
    file = broker.write(TOPIC, 2, [3, 1])
    file.write_bytes(file.read_bytes()[:-9])


def lost_segment(broker: Broker) -> None:
    broker.write(TOPIC, 2, [3])
    broker.segment(TOPIC, 2, 5).write_bytes(batch(5, 1))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (damaged_byte, r"stock-data\[2\]@0: a batch does not have the checksum"),
        (lost_end, r"stock-data\[2\]@3: the broker has 4, its files end before it"),
        (lost_segment, r"stock-data\[2\]@3: the next segment begins at 5"),
    ],
)
def test_damage_is_told_with_its_place_and_the_earlier_backup_stays(layout, broker, tmp_path, damage, told):
    broker.write(TOPIC, 0, [1])
    before = making.back_up(layout, tmp_path / "backup")
    damage(broker)
    with pytest.raises(Damaged, match=told):
        making.back_up(layout, tmp_path / "backup")
    assert check_backup(tmp_path / "backup") == before


def test_events_are_cut_before_those_that_they_name_and_the_clusters_own_last(layout, broker):
    for topic in ("stock-data", "e2-stock-forecasts", "forecast-scores", "__cluster_metadata", "stock-data.dlq",
                  "__consumer_offsets", "corporate-actions"):  # fmt: skip
        broker.write(topic, 0, [1])
    broker.segment("stock-data", 10).touch()
    broker.segment("stock-data", 9).touch()
    (broker.folder / "old-0.abc-delete").mkdir()
    assert [(each.topic, each.number) for each in making.cut_log(broker.folder)] == [
        ("stock-data.dlq", 0),
        ("forecast-scores", 0),
        ("e2-stock-forecasts", 0),
        ("corporate-actions", 0),
        ("stock-data", 0),
        ("stock-data", 9),
        ("stock-data", 10),
        ("__cluster_metadata", 0),
    ]


def test_database_that_is_being_written_to_is_kept_as_it_is_at_one_moment(layout, broker, tmp_path):
    (layout.data / "mlflow").mkdir()
    with closing(sqlite3.connect(layout.data / "mlflow" / "mlflow.db")) as database:
        database.execute("pragma journal_mode=wal")
        database.execute("create table runs (id)")
        database.execute("insert into runs values (1)")
        database.commit()  # it is in the journal beside the file
        database.execute("insert into runs values (2)")
        data = kept(tmp_path / "backup", making.back_up(layout, tmp_path / "backup"), "mlflow.db")
    (tmp_path / "copy.db").write_bytes(data)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("select id from runs").fetchall() == [(1,)]


def test_backup_of_another_log_or_of_something_else_is_left_alone(layout, broker, tmp_path):
    folder = tmp_path / "backup"
    making.back_up(layout, folder)
    (broker.folder / "meta.properties").write_text("cluster.id=two\n")
    with pytest.raises(BackupRefused, match="another log"):
        making.back_up(layout, folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("1")
    with pytest.raises(BackupRefused, match=r"something else \(thesis.txt\)"):
        making.back_up(layout, tmp_path / "mine")
    with pytest.raises(BackupRefused, match="is in the home"):
        making.back_up(layout, layout.home / "backup")


def test_backup_is_its_owners_alone(layout, broker, tmp_path):
    making.back_up(layout, tmp_path / "backup")
    for path in (tmp_path / "backup").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: next((folder / "pieces").iterdir()).write_bytes(b"other"), "is damaged"),
        (lambda folder: next((folder / "pieces").iterdir()).unlink(), "lacks"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "manifest.json").unlink(), "holds no backup"),
    ],
)
def test_backup_that_a_disk_has_changed_is_told(layout, broker, tmp_path, change, told):
    broker.write(TOPIC, 0, [1])
    making.back_up(layout, tmp_path / "backup")
    change(tmp_path / "backup")
    with pytest.raises(BackupRefused, match=told):
        check_backup(tmp_path / "backup")


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside", "data/../../outside", "", "data/kafka/.."])
def test_backup_that_would_write_outside_the_home_is_refused(layout, broker, tmp_path, path):
    making.back_up(layout, tmp_path / "backup")
    file = tmp_path / "backup" / "manifest.json"
    told = json.loads(file.read_text())
    told["files"][0]["path"] = path
    file.write_text(json.dumps(told))
    with pytest.raises(BackupRefused, match="leads out of the home"):
        check_backup(tmp_path / "backup")


def test_settings_that_a_user_has_chosen_are_kept_and_what_follows_from_the_home_is_not(layout):
    theirs = {"FORETICK_SYMBOLS": "A,B", "FORETICK_SNAPSHOTS": "/srv/csv", "FORETICK_MONGODB": "mongodb://db/"}
    told = layout.environment() | {"FORETICK_SUPERVISED": str(layout.home), "FORETICK_PYTHON": "x", "PATH": "/bin"}
    assert making.chosen_settings(layout, told) == {}
    assert making.chosen_settings(replace(layout, mongodb="mongodb://db/"), told | theirs) == theirs
