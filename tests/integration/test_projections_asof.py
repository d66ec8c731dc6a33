"""Read models as they were: the same state whenever it is built, and snapshots proved against the log."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from contracts.samples import SAMPLES
from contracts.topics import STOCK_DATA
from projections import hashes
from projections.asof import NoSuchMoment, moment_of, state_as_of, verify_against_log
from projections.folds import by_document, fold
from projections.mongo import Store
from projections.read_models.bars import BARS
from projections.read_models.forecasts import FORECASTS
from projections.read_models.revisions import REVISIONS
from projections.read_models.symbols import SYMBOLS
from projections.rebuild import RebuildRefused, rebuild
from projections.settings import ProjectionSettings
from projections.snapshots.content import MANIFEST
from projections.snapshots.files import snapshot
from projections.snapshots.verification import verify
from streaming.publisher import Publisher
from streaming.reader import read_all, watermarks
from tests.integration.projecting import bars, clear, command, database, documents, project


@pytest.fixture
def settings(isolated, tmp_path) -> Iterator[ProjectionSettings]:
    settings = ProjectionSettings(snapshot_seconds=0, snapshots=tmp_path / "snapshots")
    yield settings
    clear(settings)


def ends(settings, model):
    return {topic.name: {p: high for p, (_, high) in watermarks(settings, topic).items()} for topic in model.topics}


def folded(settings, model, position) -> tuple[int, str]:
    """Fold the log up to a position plainly; return the number of documents and their hash."""
    records = [
        record
        for topic in model.topics
        for record in read_all(settings, topic)
        if record.offset < position[topic.name][record.partition]
    ]
    found = [fold(model, key, None, group).document for key, group in by_document(model, records).items()]
    total = 0
    for document in found:
        total = hashes.add(total, hashes.document_digest(document))
    return len(found), hashes.value_text(total)


@pytest.mark.parametrize("model", [BARS, FORECASTS, SYMBOLS], ids=lambda model: model.name)
def test_state_as_of_offsets_is_the_fold_of_what_is_before_them_whatever_came_later(settings, model, tmp_path):
    project(settings, [*SAMPLES, *bars(100), *bars(20, revision=1)], model)
    then = ends(settings, model)
    first = state_as_of(settings, model.name, then, export=tmp_path / "first.jsonl")
    project(settings, [*bars(50, first=100), *bars(30, revision=2), *SAMPLES], model)
    live = documents(settings, model.name)

    again = state_as_of(settings, model.name, then, export=tmp_path / "again.jsonl")
    assert documents(settings, model.name) == live
    assert rebuild(settings, model.name).equal

    assert (first.documents, first.sha256) == (again.documents, again.sha256) == folded(settings, model, then)
    assert first.read == first.applied + first.fenced + first.dead
    written = (tmp_path / "first.jsonl").read_bytes()
    assert written == (tmp_path / "again.jsonl").read_bytes()
    assert [json.loads(line)["_id"] for line in written.splitlines()] == sorted(
        json.loads(line)["_id"] for line in written.splitlines()
    )
    with database(settings) as found:
        assert [name for name in found.list_collection_names() if "__" in name] == []


def test_state_as_of_the_live_offsets_has_the_hash_that_a_rebuild_prints(settings):
    project(settings, bars(50), SYMBOLS)
    state = state_as_of(settings, "symbols", ends(settings, SYMBOLS))
    assert state.sha256 == rebuild(settings, "symbols", verify_only=True).comparison.live_hash


def test_moment_by_time_holds_what_was_stamped_at_or_before_it(settings):
    events = bars(50)
    with Publisher(settings, "/tests") as publisher:
        for event in events:
            publisher.publish(event, time=event.recorded_at)
    then = events[24].recorded_at

    position = moment_of(settings, BARS, then.isoformat())
    state = state_as_of(settings, "stock_data", position)

    assert state.documents == sum(event.recorded_at <= then for event in events) == 25
    later = moment_of(settings, BARS, (events[-1].recorded_at + timedelta(days=1)).isoformat())
    assert later == ends(settings, BARS)
    for text, said in (
        ("yesterday", "no time"),
        ("2012-01-03T21:00:00", "no zone"),
        ('{"stock-forecasts": {"0": 1}}', "offsets of stock-data lack"),
        ('{"stock-data": 7}', "next offset"),
    ):
        with pytest.raises(NoSuchMoment, match=said):
            moment_of(settings, BARS, text)


def test_state_as_of_refuses_what_the_log_no_longer_or_not_yet_holds(settings):
    project(settings, bars(50), BARS)
    then = ends(settings, BARS)
    partition = max(then[STOCK_DATA.name], key=then[STOCK_DATA.name].get)
    ahead = {STOCK_DATA.name: then[STOCK_DATA.name] | {partition: 1000}}
    with pytest.raises(RebuildRefused, match="offset 999 is asked for"):
        state_as_of(settings, "stock_data", ahead)
    place = TopicPartition(settings.physical(STOCK_DATA.name), partition, 3)
    admin = AdminClient({"bootstrap.servers": settings.kafka})  # held: one that is collected abandons its requests
    admin.delete_records([place])[place].result(30)
    with pytest.raises(RebuildRefused, match=rf"stock-data\[{partition}\]: offsets 0 to 2 are gone"):
        state_as_of(settings, "stock_data", then)


def test_snapshot_is_proved_against_the_log_and_one_of_a_tampered_read_model_is_found_out(settings, tmp_path):
    project(settings, [*bars(60), *bars(10, revision=1)], REVISIONS)
    snapshot(settings, tmp_path / "true")
    project(settings, bars(20, first=60), REVISIONS)
    assert verify_against_log(settings, tmp_path / "true") == []

    with database(settings) as found:
        newest = max(key for key in documents(settings, REVISIONS.name) if key.startswith("IBM"))
        assert found[REVISIONS.name].update_one({"_id": newest}, {"$set": {"volume": 1.0}}).modified_count == 1
    snapshot(settings, tmp_path / "false")
    assert verify(tmp_path / "false") == []
    (fault,) = verify_against_log(settings, tmp_path / "false")
    assert fault.startswith("IBM_P1D_2012.csv is not what the log says")


def test_snapshot_and_as_of_commands_say_what_they_did(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("FORETICK_SNAPSHOTS", str(settings.snapshot_folder))
    assert "has read nothing yet" in command("snapshot", code=1)
    project(settings, bars(30), REVISIONS, BARS)
    assert "5 files, 30 bars" in command("snapshot")
    manifest = settings.snapshot_folder / MANIFEST
    project(settings, bars(10, first=30), REVISIONS, BARS)
    command("snapshot", "--out", str(tmp_path / "again"), "--at", str(manifest))
    assert (tmp_path / "again" / MANIFEST).read_bytes() == manifest.read_bytes()
    assert "as its manifest says." in command("snapshot", "verify")
    assert "as the log says" in command("snapshot", "verify", str(tmp_path / "again"), "--log")

    shown = command("rebuild", "stock_data", "--as-of", str(manifest))
    assert "30 documents, hash " in shown
    told = shown.rsplit("hash ", 1)[1].split()[0]
    command("rebuild", "stock_data", "--as-of", str(manifest), "--expect", told)
    assert "EXPECTED" in command("rebuild", "stock_data", "--as-of", str(manifest), "--expect", "0" * 64, code=1)
    assert "no time" in command("rebuild", "stock_data", "--as-of", "then", code=1)
    for wrong in (["--export", "x"], ["stock_data", "--all"], ["stock_data", "--as-of", "then", "--verify-only"]):
        command("rebuild", *wrong, code=2)

    store = Store(settings)
    assert store.generation("stock_data")["generation"] == 1  # looking back fences nobody
    store.close()
    (tmp_path / "again" / "IBM_P1D_2012.csv").write_text("torn")
    assert "IBM_P1D_2012.csv is torn" in command("snapshot", "verify", str(tmp_path / "again"), code=1)
