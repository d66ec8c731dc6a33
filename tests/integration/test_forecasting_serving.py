"""Serving against real Kafka, registry and MLflow: what is issued, and never twice, whatever dies."""

import json
import signal
import time
from collections import Counter

import httpx
import pytest
from confluent_kafka import Producer

from contracts.topics import STOCK_DATA, STOCK_FORECASTS
from forecasting.data.frames import frame_sha256, symbol_frame
from streaming.reader import read_range
from tests.integration.serving import SERVING, SYMBOLS, owed
from tests.support.markets import bar, market
from tests.support.waiting import PATIENCE, until

pytestmark = [pytest.mark.realtime, pytest.mark.mlflow]
ROLES = {"naive": "CHAMPION", "arima": "SHADOW"}


@pytest.fixture
def trained(desk):
    """A desk with a random walk as champion and an ARIMA beside it."""
    naive, arima = desk.register("naive"), desk.register("arima")
    desk.promote("naive", naive, "naive")
    desk.promote("champion", naive, "naive")
    desk.promote("arima", arima, "arima")
    return desk


@pytest.fixture
def service(desk):
    process = desk.process(SERVING)
    yield process
    process.end(signal.SIGKILL)


def ready(process):
    return until(lambda: process.answers("/health/ready"), "serving was ready")


def settled(desk, expected, seconds=40):
    """Wait until what is owed is issued; anything beyond it fails at once."""

    def all_there():
        found = desk.issued()
        assert not found - expected, "issued twice, or not owed"
        return found == expected

    until(all_there, f"{expected.total()} forecasts were issued", seconds)


def test_serving_issues_one_forecast_a_bar_and_version_and_each_can_be_made_again_from_its_lineage(trained, service):
    trained.close_sessions(range(80))
    service.start()
    ready(service)
    settled(trained, owed([79], ROLES))
    trained.close_sessions([80, 81])
    settled(trained, owed([79, 80, 81], ROLES))

    for record in trained.records(STOCK_FORECASTS):
        forecast = record.event
        inputs = next(part for part in forecast.lineage.inputs if part.topic == STOCK_DATA.name)
        read = read_range(
            trained.settings,
            STOCK_DATA,
            {inputs.partition: inputs.from_offset},
            {inputs.partition: inputs.to_offset + 1},
        )
        bars = [item.event for item in read if item.event.symbol == forecast.symbol]
        frame = symbol_frame(bars, sessions=forecast.lineage.input_bars)
        assert frame_sha256(frame) == forecast.lineage.input_sha256
        assert forecast.origin == bars[-1].closed_at
        assert record.headers["ce_causationid"] == bars[-1].event_id
        assert forecast.issued_at <= trained.clock.now
    status = service.get("/status")
    assert status["forecasts_issued"] == 3 * 2 * len(SYMBOLS)
    assert status["refused"] == {}


def test_serving_answers_invocations_by_mlflows_protocol_and_503_before_there_is_a_model(desk, service):
    service.start()
    frame = market(symbols=2, bars=70).assign(ds=lambda rows: rows["ds"].astype(str))
    body = {"dataframe_split": json.loads(frame.to_json(orient="split", index=False)), "params": {"horizon": 2}}
    waiting = httpx.post(service.url + "/invocations", json=body)
    assert waiting.status_code == 503
    assert waiting.json()["detail"].startswith("no model is loaded yet")
    assert int(waiting.headers["Retry-After"]) > 0
    assert not service.answers("/health/ready")

    desk.close_sessions(range(5))
    version = desk.register("naive")
    desk.promote("champion", version, "naive")
    ready(service)
    answer = httpx.post(service.url + "/invocations", json=body).raise_for_status()
    assert answer.headers["X-Foretick-Model-Version"] == version
    assert [(row["unique_id"], row["step"]) for row in answer.json()["predictions"]] == [
        ("S0", 1),
        ("S0", 2),
        ("S1", 1),
        ("S1", 2),
    ]
    settled(desk, owed([4], {"naive": "CHAMPION"}))


def test_serving_that_was_down_catches_up_and_issues_nothing_twice(trained, service):
    trained.close_sessions(range(70))
    service.start()
    settled(trained, owed([69], ROLES))
    assert service.end() == 0
    trained.close_sessions(range(70, 76))
    service.start()
    settled(trained, owed(range(69, 76), ROLES))
    assert service.end() == 0
    service.start()
    until(lambda: service.get("/status")["series"] == len(SYMBOLS) and service.get("/status")["lag"] == 0, "it folded")
    trained.close_sessions([76])
    settled(trained, owed(range(69, 77), ROLES))


def test_serving_killed_at_any_moment_leaves_each_forecast_in_the_log_once(trained, service):
    trained.close_sessions(range(70))
    service.start()
    settled(trained, owed([69], ROLES))
    day = 70
    for _ in range(3):
        trained.close_sessions(range(day, day + 8))
        day += 8
        until(lambda: sum(trained.issued().values()) > 2 * len(SYMBOLS), "some were issued")
        service.end(signal.SIGKILL)
        service.start()
    settled(trained, owed(range(69, day), ROLES), 60)
    ids = Counter(forecast.forecast_id for forecast in trained.forecasts())
    assert set(ids.values()) == {1}


def test_new_champion_is_taken_up_without_a_restart_and_no_forecast_is_missed_or_doubled(trained, service):
    trained.close_sessions(range(70))
    service.start()
    settled(trained, owed([69], ROLES))
    version = trained.register("arima")

    def champion():
        return {item["alias"]: item["version"] for item in service.get("/models")["items"]}["champion"]

    started = time.monotonic()
    trained.promote("champion", version, "arima")
    until(lambda: champion() == version, "the new champion was at work")
    taken = time.monotonic() - started
    print(f"a promoted version was at work after {taken:.2f} s")
    assert taken < PATIENCE * 5  # the goal is 2 s on a machine that does nothing else

    trained.close_sessions([70, 71])
    expected = Counter(
        {
            (symbol, bar(day=day).closed_at, family, role): count
            for symbol in SYMBOLS
            for day, family, role, count in [
                (69, "naive", "CHAMPION", 1),
                (69, "arima", "SHADOW", 1),
                (69, "arima", "CHAMPION", 1),  # it begins at the newest bar
                *(
                    (day, family, role, 1)
                    for day in (70, 71)
                    for family, role in (("naive", "SHADOW"), ("arima", "SHADOW"))
                ),
                (70, "arima", "CHAMPION", 1),
                (71, "arima", "CHAMPION", 1),
            ]
        }
    )
    settled(trained, expected)


def test_corrected_newest_bar_is_forecast_anew_and_poison_is_passed_over(trained, service):
    trained.close_sessions(range(70))
    service.start()
    settled(trained, owed([69], ROLES))
    producer = Producer({"bootstrap.servers": trained.settings.kafka})
    for partition in range(STOCK_DATA.partitions):
        producer.produce(trained.settings.physical(STOCK_DATA.name), b"\x01nonsense", partition=partition)
    assert producer.flush(10) == 0
    trained.publish([bar("IBM", 69, 61.0, revision=1), bar("AAPL", 30, 61.0, revision=1)])
    again = Counter({("IBM", bar(day=69).closed_at, family, role): 1 for family, role in ROLES.items()})
    settled(trained, owed([69], ROLES) + again)


def test_serving_without_mlflow_waits_and_says_so(desk):
    process = desk.process(SERVING, FORETICK_MLFLOW="http://127.0.0.1:9")
    try:
        process.start()
        until(
            lambda: any("MLflow" in why for why in httpx.get(process.url + "/health/ready").json()["reasons"]),
            "it said that MLflow is away",
        )
        assert process.running()
        assert process.end() == 0
    finally:
        process.end(signal.SIGKILL)
