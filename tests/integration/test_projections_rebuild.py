"""Rebuilds: proved equal, refused where not, harmless when killed, beside live traffic."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from contracts.events import ForecastIssued, ForecastScored
from contracts.samples import SAMPLES, sample
from contracts.topics import STOCK_DATA
from projections import refill
from projections.comparison import Comparing, documents_fingerprint
from projections.lease import Lease
from projections.mongo import Store
from projections.read_models.bars import BARS
from projections.read_models.forecasts import FORECASTS
from projections.read_models.symbols import SYMBOLS
from projections.read_models.table import READ_MODELS
from projections.rebuild import RebuildRefused, rebuild
from streaming.publisher import Publisher
from tests.integration.projecting import (
    Running,
    assert_reconciled,
    bars,
    database,
    documents,
    expected,
    project,
    publish,
    publish_raw,
    until,
)
from tests.support.topics import make_anew


def tamper(settings, collection: str, key: str, **fields) -> None:
    with database(settings) as found:
        assert found[collection].update_one({"_id": key}, {"$set": fields}).matched_count == 1


def leftovers(settings) -> list[str]:
    with database(settings) as found:
        return [name for name in found.list_collection_names() if "__" in name]


@pytest.mark.parametrize("take_over", [False, True])
@pytest.mark.parametrize("model", READ_MODELS, ids=lambda model: model.name)
def test_rebuild_every_read_model_equals_the_live_one_and_takes_over_where_wanted(settings, model, take_over):
    project(settings, [*SAMPLES, *bars(300), *bars(30, revision=1), *SAMPLES], model)
    before = documents(settings, model.name)
    seen = []

    report = rebuild(
        settings, model.name, accept_difference=take_over, progress=lambda done, total: seen.append((done, total))
    )

    assert report.took_over == take_over
    assert report.equal
    assert report.comparison.live_documents == report.comparison.rebuilt_documents == len(before) > 0
    assert report.comparison.live_hash == report.comparison.rebuilt_hash
    assert report.read == report.applied + report.fenced + report.dead == seen[-1][0] == seen[-1][1]
    assert documents(settings, model.name) == before == expected(settings, model)
    assert leftovers(settings) == []


def test_rebuild_writes_a_forecast_and_its_scores_at_once(settings, monkeypatch):
    """Topic after topic, each forecast would be replaced for each chunk that holds a score of it."""
    forecast, score = sample(ForecastIssued), sample(ForecastScored)
    with Publisher(settings, "/tests") as publisher:
        for number in range(60):
            time.sleep(0.002)  # messages of one millisecond come in any order
            at, name = forecast.issued_at + timedelta(days=number), f"{number:064x}"
            publisher.publish(replace(forecast, forecast_id=name), time=at)
            for step in (1, 2, 3):
                scored = replace(score, forecast_id=name, step=step)
                publisher.publish(scored, time=at + timedelta(hours=step))
    with Running(settings, FORECASTS) as running:
        running.catch_up()
    replaced = []
    plainly = Store.replace
    monkeypatch.setattr(refill, "_CHUNK", 40)
    monkeypatch.setattr(Store, "replace", lambda *call: replaced.extend(call[2]) or plainly(*call))

    assert rebuild(settings, FORECASTS.name, verify_only=True).equal
    assert len(documents(settings, FORECASTS.name)) == 60
    assert len(replaced) <= 6  # one for each border between two chunks


def test_rebuild_keeps_the_indexes_and_the_projections_go_on(settings):
    project(settings, bars(50), BARS)
    assert rebuild(settings, "stock_data", accept_difference=True).took_over

    project(settings, bars(50, first=50), BARS)

    assert documents(settings, "stock_data") == expected(settings, BARS)
    with database(settings) as found:
        assert "symbol_1_interval_1_closed_at_1" in found["stock_data"].index_information()
    assert_reconciled(settings, BARS)


def test_rebuild_tampered_document_is_shown_and_the_live_one_is_left(settings):
    project(settings, bars(50), BARS)
    altered, invented, lost = sorted(documents(settings, "stock_data"))[:3]
    tamper(settings, "stock_data", altered, close=1.0)
    with database(settings) as found:
        made_up = found["stock_data"].find_one({"_id": invented}) | {"_id": "made up"}
        found["stock_data"].insert_one(made_up)
        found["stock_data"].delete_one({"_id": lost})
    before = documents(settings, "stock_data")

    report = rebuild(settings, "stock_data")

    assert not report.took_over
    assert not report.equal
    assert report.comparison.differing == 3
    assert report.comparison.differences[altered] == ["close: live 1.0, rebuilt 409.25"]
    assert "no event of the log makes it" in report.comparison.differences["made up"][0]
    assert "missing in the live" in report.comparison.differences[lost][0]
    assert documents(settings, "stock_data") == before
    assert leftovers(settings) == []


def test_rebuild_accepted_difference_takes_over(settings):
    project(settings, bars(50), BARS)
    tamper(settings, "stock_data", min(documents(settings, "stock_data")), close=1.0)

    report = rebuild(settings, "stock_data", accept_difference=True)

    assert report.took_over
    assert not report.equal
    assert documents(settings, "stock_data") == expected(settings, BARS)


@pytest.mark.parametrize("spoiled", [False, True])
def test_rebuild_verify_only_tells_and_changes_nothing(settings, spoiled):
    project(settings, bars(50), BARS)
    if spoiled:
        tamper(settings, "stock_data", min(documents(settings, "stock_data")), volume=1.0)
    before = documents(settings, "stock_data")

    report = rebuild(settings, "stock_data", verify_only=True)

    assert report.equal != spoiled
    assert not report.took_over
    assert documents(settings, "stock_data") == before
    assert leftovers(settings) == []


@pytest.mark.parametrize("model", [BARS, SYMBOLS], ids=lambda model: model.name)
def test_rebuild_beside_live_traffic_loses_nothing_and_live_goes_on_by_itself(settings, model):
    publish(settings, bars(1000))
    done = threading.Event()

    def traffic() -> None:
        first = 1000
        while not done.is_set():
            publish(settings, bars(20, first=first))
            first += 20

    with Running(settings, model) as running:
        running.catch_up()
        writing = threading.Thread(target=traffic)
        writing.start()
        try:
            reports = []
            for _ in range(3):
                report = rebuild(settings, model.name, accept_difference=len(reports) == 1)
                reports.append(report)
                until(lambda at=report.position: running.position(model) != at, "the live one goes on", 60)
        finally:
            done.set()
            writing.join()
        running.catch_up()
        assert running.service.status()["failed"] == []

    assert all(report.equal for report in reports)
    assert [report.took_over for report in reports] == [False, True, False]
    assert sum(reports[-1].position["stock-data"].values()) > sum(reports[0].position["stock-data"].values())
    print("live paused for", [round(report.paused_seconds, 2) for report in reports], "s")
    assert documents(settings, model.name) == expected(settings, model)
    for row in assert_reconciled(settings, model):
        assert row["applied"] == row["next_offset"]


def test_rebuild_reads_only_what_has_just_changed_while_the_live_one_stands_still(settings, monkeypatch):
    """Else the pause would grow with the read model."""
    publish(settings, bars(700))
    read, paused = [], []
    plainly, scan, pause = Store.read, Store.scan, Lease.pause_writers

    def traffic(lease):
        publish(settings, bars(30, first=700))
        until(lambda: len(documents(settings, "stock_data")) == 730, "the live one has it")
        paused.append(generation := pause(lease))
        return generation

    def reading(store, collection, ids):
        read.extend(ids if paused else [])
        return plainly(store, collection, ids)

    def scanning(store, collection, *rest, **options):
        found = list(scan(store, collection, *rest, **options))
        read.extend(found if paused and collection.startswith("stock_data") else [])
        return iter(found)

    with Running(settings, BARS) as running:
        running.catch_up()
        monkeypatch.setattr(Lease, "pause_writers", traffic)
        monkeypatch.setattr(Store, "read", reading)
        monkeypatch.setattr(Store, "scan", scanning)
        report = rebuild(settings, "stock_data")

    assert report.equal
    assert report.comparison.live_documents == report.read == 730
    assert 60 <= len(read) <= 150


def test_rebuild_finds_what_was_spoiled_before_while_and_after_all_was_compared(settings, monkeypatch):
    publish(settings, bars(300))
    keys = sorted(event.bar_id for event in bars(300))
    plainly = Comparing.all

    def spoil(key: str) -> None:
        tamper(settings, "stock_data", key, close=1.0)

    def spoiling(comparing, position):
        plainly(comparing, position)
        spoil(keys[1])  # and an event on it, so that it is looked at again
        first = next(event for event in bars(300) if event.bar_id == keys[1])
        publish(settings, [replace(first, revision=1)])
        until(lambda: documents(settings, "stock_data")[keys[1]]["revision"] == 1, "the live one has it")

    with Running(settings, BARS) as running:
        running.catch_up()
        spoil(keys[0])
        monkeypatch.setattr(Comparing, "all", spoiling)
        report = rebuild(settings, "stock_data")

    assert not report.equal
    assert report.comparison.differences == {keys[0]: ["close: live 1.0, rebuilt 409.25"]}
    assert report.comparison.live_documents == report.comparison.rebuilt_documents == 300
    assert report.comparison.live_hash != report.comparison.rebuilt_hash
    store = Store(settings)
    assert documents_fingerprint(store, "stock_data") == report.comparison.fingerprints[0]
    store.close()


def test_rebuild_poison_stops_it_unless_dead_letters_are_skipped(settings):
    publish(settings, bars(10))
    publish_raw(settings, b"poison")
    project(settings, bars(10, first=10), BARS)

    with pytest.raises(RebuildRefused, match=r"stock-data\[0\]@.*magic byte.*--skip-dead"):
        rebuild(settings, "stock_data")
    report = rebuild(settings, "stock_data", skip_dead=True)

    assert report.equal
    assert (report.read, report.applied, report.dead) == (21, 20, 1)


def test_rebuild_history_that_retention_ate_is_refused_and_named(settings):
    project(settings, bars(50), BARS)
    partition, end = next(
        (row["partition"], row["next_offset"]) for row in assert_reconciled(settings, BARS) if row["next_offset"] > 3
    )
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    place = TopicPartition(settings.physical(STOCK_DATA.name), partition, 3)
    admin.delete_records([place])[place].result(30)
    before = documents(settings, "stock_data")

    with pytest.raises(RebuildRefused, match=rf"stock-data\[{partition}\]: offsets 0 to 2 are gone"):
        rebuild(settings, "stock_data")

    assert end > 3
    assert documents(settings, "stock_data") == before
    assert leftovers(settings) == []


def test_rebuild_of_nothing_is_refused_until_told_to_build_from_the_log(settings):
    publish(settings, bars(10))
    with pytest.raises(RebuildRefused, match="has read nothing yet"):
        rebuild(settings, "stock_data")

    report = rebuild(settings, "stock_data", accept_difference=True)

    assert report.took_over
    assert documents(settings, "stock_data") == expected(settings, BARS)
    project(settings, bars(5, first=10), BARS)
    assert documents(settings, "stock_data") == expected(settings, BARS)
    assert [row["fenced"] for row in assert_reconciled(settings, BARS)] == [0] * STOCK_DATA.partitions


def test_rebuild_second_one_of_the_same_read_model_is_refused(settings):
    project(settings, bars(10), BARS)
    store = Store(settings)
    with Lease(store, "stock_data"), pytest.raises(RebuildRefused, match="another rebuild"):
        rebuild(settings, "stock_data")
    assert rebuild(settings, "stock_data").equal
    store.close()


def test_rebuild_killed_leaves_the_live_one_and_the_next_one_works(settings, isolated):
    project(settings, bars(3000), BARS)
    before = documents(settings, "stock_data")
    code = (
        "from projections.rebuild import rebuild; from projections.settings import ProjectionSettings;"
        "rebuild(ProjectionSettings(), 'stock_data', progress=lambda done, total: print(done, flush=True))"
    )
    with Running(settings, BARS) as running:
        running.catch_up()
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ | isolated.environment
        ) as process:
            assert process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        assert documents(settings, "stock_data") == before
        assert leftovers(settings) != []

        publish(settings, bars(50, first=3000))
        running.catch_up()
        report = rebuild(settings, "stock_data")  # waits for the dead one's lease

    assert report.equal
    assert documents(settings, "stock_data") == expected(settings, BARS)
    assert leftovers(settings) == []


def test_rebuild_topic_made_anew_is_built_from_what_the_log_holds_now(settings):
    project(settings, bars(50), BARS)
    make_anew(settings, STOCK_DATA)
    publish(settings, bars(7))
    with pytest.raises(RebuildRefused, match="--accept-difference"):
        rebuild(settings, "stock_data")

    rebuild(settings, "stock_data", accept_difference=True)

    assert len(documents(settings, "stock_data")) == 7
    project(settings, bars(3, first=7), BARS)
    assert documents(settings, "stock_data") == expected(settings, BARS)


def test_rebuild_a_writer_that_died_without_a_word_does_not_block_it(settings):
    project(settings, bars(10), BARS)
    with database(settings) as found:
        found["generations"].update_one(
            {"_id": "stock_data"},
            {"$set": {"writers.dead": {"seen_at": found["checkpoints"].find_one()["updated_at"], "paused": ""}}},
        )
    began = time.monotonic()

    report = until(lambda: rebuild(settings, "stock_data"), "the rebuild was made")

    assert report.equal
    assert time.monotonic() - began < 30
