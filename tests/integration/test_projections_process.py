"""The service as a process: killed and started again, stopped politely, asked how it is."""

import signal
import time
from collections.abc import Iterator

import pytest

from projections.read_models.table import READ_MODELS
from projections.settings import ProjectionSettings
from tests.integration.processes import Service
from tests.integration.projecting import assert_reconciled, bars, clear, database, documents, expected, publish
from tests.support.waiting import PATIENCE, until


@pytest.fixture
def settings(isolated) -> Iterator[ProjectionSettings]:
    settings = ProjectionSettings()
    yield settings
    clear(settings)


@pytest.fixture
def service(isolated, tmp_path) -> Iterator[Service]:
    service = Service(isolated.environment | {"FORETICK_SNAPSHOTS": str(tmp_path)})
    yield service
    if service.process and service.process.poll() is None:
        service.process.kill()
        service.process.wait()


def test_process_killed_in_mid_stream_and_started_again_loses_and_doubles_nothing(settings, service):
    publish(settings, bars(2000))
    service.start()
    until(lambda: documents(settings, "stock_data"), "the first documents are there")
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()

    publish(settings, [*bars(500, first=2000), *bars(100, revision=1)])
    service.start()
    until(
        lambda: sum(row["read"] for row in assert_reconciled(settings, READ_MODELS[0])) >= 2600 and service.lag() == 0,
        "it has caught up",
        90,
    )

    for model in READ_MODELS:
        until(lambda model=model: documents(settings, model.name) == expected(settings, model), model.name, 30)
    assert len(documents(settings, "stock_data")) == 2500


def test_process_sigterm_ends_it_soon_and_cleanly(settings, service):
    service.start()
    until(lambda: (answer := service.get("/health/ready")) and answer.status_code == 200, "it is ready")
    until(lambda: service.lag() == 0, "it has its partitions")
    assert "foretick_projection_lag" in service.get("/metrics").text

    began = time.monotonic()
    service.process.send_signal(signal.SIGTERM)

    assert service.process.wait(PATIENCE * 10) == 0
    assert time.monotonic() - began < PATIENCE * 5
    with database(settings) as found:
        assert [row["writers"] for row in found["generations"].find()] == [{}] * len(READ_MODELS)


def test_process_sigterm_in_mid_stream_ends_it_soon_and_nothing_is_lost(settings, service):
    publish(settings, bars(3000))
    service.start()
    until(lambda: documents(settings, "stock_data"), "the first documents are there")

    began = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(PATIENCE * 10)

    assert time.monotonic() - began < PATIENCE * 5
    service.start()
    for model in READ_MODELS[:2]:  # lag is 0 for a moment before the ends are known: the documents themselves tell
        until(lambda model=model: documents(settings, model.name) == expected(settings, model), model.name, 90)
        assert_reconciled(settings, model)


def test_process_sigterm_while_mongodb_is_away_ends_it_soon(settings, service):
    service.environment["FORETICK_MONGODB"] = "mongodb://127.0.0.1:9"
    service.start()
    until(
        lambda: (answer := service.get("/health/ready")) and any("MongoDB" in why for why in answer.json()["reasons"]),
        "it waits for MongoDB",
    )

    began = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(PATIENCE * 10)

    assert time.monotonic() - began < PATIENCE * 5


def test_process_without_a_broker_waits_and_says_so(settings, service):
    service.environment["FORETICK_KAFKA"] = "127.0.0.1:9"
    service.start()

    answer = until(lambda: service.get("/health/ready"), "it answers")
    reasons = until(
        lambda: [why for why in service.get("/health/ready").json()["reasons"] if "127.0.0.1:9" in why], "why"
    )

    assert answer.status_code == 503
    assert "no Kafka broker answers" in reasons[0]
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(PATIENCE * 10) == 0
