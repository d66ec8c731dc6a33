"""Topic -> documents, against a real broker, registry and document server."""

import time
from dataclasses import replace

from prometheus_client import CollectorRegistry, generate_latest

from contracts.samples import SAMPLES
from contracts.topics import STOCK_DATA
from projections.documents import business
from projections.folds import FoldFunction, ReadModel
from projections.metrics import export
from projections.read_models.bars import BARS
from projections.read_models.table import READ_MODELS
from projections.sink import TopicMadeAnew
from tests.integration.projecting import (
    Running,
    assert_reconciled,
    bars,
    database,
    documents,
    expected,
    publish,
    until,
)
from tests.support.topics import make_anew


def test_projections_every_event_becomes_the_documents_of_a_plain_fold(settings):
    publish(settings, [*SAMPLES, *bars(300), *bars(60, revision=1), *SAMPLES])

    with Running(settings) as running:
        running.catch_up()

    for model in READ_MODELS:
        assert documents(settings, model.name) == expected(settings, model), model.name
        assert_reconciled(settings, model)
    assert len(documents(settings, "stock_data")) == 300
    assert len(documents(settings, "stock_data_revisions")) == 360
    aapl = documents(settings, "symbols")["AAPL"]
    assert (aapl["bars"], aapl["revisions"], aapl["interval"]) == (60, 12, "P1D")
    (forecast,) = documents(settings, "forecasts").values()
    assert (forecast["symbol"], forecast["scores"]["1"]["inside_80"]) == ("AAPL", True)


def test_projections_bars_that_come_while_running_are_there_within_seconds(settings):
    with Running(settings, BARS) as running:
        running.catch_up()
        publish(settings, bars(1))
        began = time.monotonic()
        until(lambda: documents(settings, "stock_data"), "the bar is there", 5)
        print(f"bar published -> document visible: {(time.monotonic() - began) * 1000:.0f} ms")
        running.catch_up()

        began = time.monotonic()
        running.stop.set()
        running.thread.join()
        assert time.monotonic() - began < 5
    assert running.code == 0


def test_projections_checkpoints_moved_back_change_no_document(settings):
    publish(settings, [*bars(200), *bars(40, revision=1), *SAMPLES])
    with Running(settings) as running:
        running.catch_up()
    before = {model.name: documents(settings, model.name) for model in READ_MODELS}

    with database(settings) as found:
        found["checkpoints"].update_many({}, {"$set": {"next_offset": 0}})
    with Running(settings) as running:
        running.catch_up()

    for model in READ_MODELS:
        assert documents(settings, model.name) == before[model.name]
        rows = assert_reconciled(settings, model)
        assert sum(row["applied"] for row in rows) == sum(row["fenced"] for row in rows)


def test_projections_same_fact_published_twice_changes_no_business_field(settings):
    publish(settings, bars(20))
    with Running(settings, BARS) as running:
        running.catch_up()
        before = documents(settings, "stock_data")
        publish(settings, [replace(bar, close=409.0) for bar in bars(20)])
        running.catch_up()

    after = documents(settings, "stock_data")
    assert {key: business(document) for key, document in after.items()} == {
        key: business(document) for key, document in before.items()
    }


def test_projections_two_processes_share_partitions_and_lose_nothing(settings):
    publish(settings, bars(500))
    with Running(settings) as one, Running(settings) as other:
        publish(settings, bars(500, first=500))
        one.catch_up()
        publish(settings, bars(500, revision=1))
        other.catch_up()

    for model in READ_MODELS:
        assert documents(settings, model.name) == expected(settings, model), model.name
        assert_reconciled(settings, model)


def test_projections_topic_made_anew_is_refused_and_says_what_to_do(settings):
    publish(settings, bars(20))
    with Running(settings, BARS) as running:
        running.catch_up()
    before = documents(settings, "stock_data")
    make_anew(settings, STOCK_DATA)

    with Running(settings, BARS) as running:
        until(lambda: running.code is not None, "the service stopped")

    assert running.code == 1
    (failure,) = running.service.status()["failed"]
    assert TopicMadeAnew.__name__ in failure
    assert "foretick rebuild stock_data --accept-difference" in failure
    assert documents(settings, "stock_data") == before


def test_projections_bug_in_a_fold_stops_the_process_with_coordinates(settings):
    def broken(document, record):
        raise ZeroDivisionError("a bug")

    publish(settings, bars(1))
    model = ReadModel("broken", {STOCK_DATA.name: FoldFunction(lambda bar: bar.bar_id, broken)})

    with Running(settings, model) as running:
        until(lambda: running.code is not None, "the service stopped")

    assert running.code == 1
    (failure,) = running.service.status()["failed"]
    assert "ZeroDivisionError" in failure
    assert "stock-data" in failure
    assert documents(settings, "broken") == {}


def test_projections_status_and_metrics_tell_positions_lag_and_counts(settings):
    publish(settings, bars(50))
    with Running(settings, BARS) as running:
        running.catch_up()
        registry = CollectorRegistry()
        export(running.service.status, registry)
        (model,) = running.service.status()["read_models"]
        assert running.service.reasons() == []
        text = generate_latest(registry).decode()

    assert len(model["partitions"]) == STOCK_DATA.partitions
    assert sum(row["applied"] for row in model["partitions"]) == 50
    assert {(row["lag"], row["lag_seconds"], row["generation"]) for row in model["partitions"]} == {(0, 0.0, 1)}
    for name in ("position", "end", "lag", "lag_seconds", "age_seconds", "generation"):
        assert f"foretick_projection_{name}{{" in text
    for name in ("read", "applied", "fenced", "dead"):
        assert f"foretick_projection_{name}_total{{" in text
    assert 'foretick_projection_position{partition="0",read_model="stock_data",topic="stock-data"}' in text
    assert "foretick_projection_applied_total{" in text
