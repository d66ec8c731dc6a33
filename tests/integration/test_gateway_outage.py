"""Servers that go away and come back: answers say so, sockets stay, nothing is lost."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from contracts.topics import STOCK_DATA
from projections.settings import ProjectionSettings
from stack.layout import Layout
from stack.services.supervisor import Supervisor
from streaming.admin import prepare_servers
from streaming.reader import watermarks
from streaming.settings import StreamSettings
from tests.integration.gatewaying import TOPIC, GatewayProcess, bars, last_seen, publish, run
from tests.integration.projecting import Running
from tests.integration.test_projections_outage import DocumentServer
from tests.support.supervised import running
from tests.support.topics import clear_topics
from tests.support.waiting import until


@pytest.fixture
def mongodb(tmp_path):
    mongodb = DocumentServer(tmp_path / "mongodb")
    mongodb.start()
    yield mongodb
    mongodb.kill()


def test_mongodb_away_is_told_and_the_answers_come_back_with_it(isolated, mongodb, monkeypatch, tmp_path):
    monkeypatch.setenv("FORETICK_MONGODB", mongodb.uri)
    settings = ProjectionSettings(snapshot_seconds=0)
    publish(settings, bars(50))
    with Running(settings) as running:
        running.catch_up()
    gateway = GatewayProcess(
        tmp_path, isolated.environment | {"FORETICK_MONGODB": mongodb.uri, "FORETICK_MONGODB_SECONDS": "1"}
    )
    gateway.start()
    gateway.live()

    async def check():
        before = httpx.get(gateway.url + "/api/bars/IBM").json()
        assert len(before["items"]) == 10
        async with gateway.socket() as ear:
            await ear.hear(1, "hello")
            await asyncio.to_thread(mongodb.kill)
            for path in ("/api/bars/IBM", "/api/symbols", "/api/pipeline", "/api/models"):
                answer = await asyncio.to_thread(httpx.get, gateway.url + path, timeout=10)
                assert answer.status_code == 503, answer.text
                assert answer.headers["content-type"] == "application/problem+json"
                assert int(answer.headers["Retry-After"]) > 0
                assert answer.json()["type"].endswith("mongodb-away")
                assert mongodb.uri not in answer.text
            ready = await asyncio.to_thread(httpx.get, gateway.url + "/health/ready")
            assert any("MongoDB" in reason for reason in ready.json()["reasons"])
            await asyncio.to_thread(publish, settings, bars(5, first=50))
            assert len(await ear.hear(5, "bar")) == 5  # the stream needs no MongoDB
            await asyncio.to_thread(mongodb.start)
            await asyncio.to_thread(
                until, lambda: httpx.get(gateway.url + "/api/bars/IBM", timeout=10).is_success, "answers came back", 20
            )
            after = (await asyncio.to_thread(httpx.get, gateway.url + "/api/bars/IBM")).json()
            assert after == before

    try:
        run(check())
    finally:
        gateway.end(signal.SIGKILL)
        clear_topics(settings)


@pytest.fixture
def own_kafka(free_offset):
    """A Kafka and a registry of this test's own, to be killed."""
    home = Path(tempfile.mkdtemp(prefix="foretick-test-"))
    layout = Layout(home=home, cache=Path.home() / ".cache" / "foretick", port_offset=free_offset())

    def foretick(*arguments):
        command = (sys.executable, "-m", "stack", *arguments)
        subprocess.run(
            command, cwd=layout.project, env=os.environ | layout.environment(), capture_output=True, check=True
        )

    foretick("up", "--detach", "--only", "kafka,registry")
    yield layout
    foretick("down")
    shutil.rmtree(home)


@contextmanager
def unattended(layout):
    """Let nobody start again what dies while a `with` block runs: a broker may come back before it is missed."""
    supervisor = psutil.Process(Supervisor(layout).pid())
    supervisor.suspend()
    try:
        yield
    finally:
        supervisor.resume()


def test_kafka_killed_is_told_by_heartbeats_and_costs_no_bar(own_kafka, monkeypatch, tmp_path):
    environment = own_kafka.environment() | {"FORETICK_CLOCK_URL": ""}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = StreamSettings()
    prepare_servers(settings)
    gateway = GatewayProcess(tmp_path, environment)
    gateway.start()
    gateway.live()

    async def sources(ear):
        return [beat.get("source") for beat in ear.of("heartbeat")]

    async def check():
        async with gateway.socket() as ear:
            await ear.say(type="resume", positions={TOPIC: last_seen({})})
            await asyncio.to_thread(publish, settings, bars(50))
            await ear.hear(50, "bar")
            broker = running(Supervisor(own_kafka), "kafka")
            with unattended(own_kafka):
                broker.kill()
                while "away" not in await sources(ear):
                    await ear.hear(len(ear.of("heartbeat")) + 1, "heartbeat", seconds=60)
                assert httpx.get(gateway.url + "/health/ready").status_code == 503
            await asyncio.to_thread(publish, settings, bars(50, first=50))  # waits for the broker
            await ear.hear(100, "bar", seconds=60)
            while (await sources(ear))[-1] != "live":
                await ear.hear(len(ear.of("heartbeat")) + 1, "heartbeat", seconds=60)
            marks = watermarks(settings, STOCK_DATA)
            assert ear.seen() == {p: list(range(low, high)) for p, (low, high) in marks.items() if high > low}
            assert not ear.of("gap")
            # and another one comes, from before it all
            async with gateway.socket() as other:
                await other.say(type="resume", positions={TOPIC: last_seen({})})
                await other.hear(100, "bar")
                assert other.seen() == ear.seen()

    try:
        run(check())
    finally:
        gateway.end(signal.SIGKILL)


def test_gateway_started_before_its_servers_serves_when_they_come(tmp_path):
    gateway = GatewayProcess(
        tmp_path, {"FORETICK_KAFKA": "127.0.0.1:9", "FORETICK_MONGODB": "mongodb://127.0.0.1:9",
                   "FORETICK_REGISTRY": "http://127.0.0.1:9", "FORETICK_MONGODB_SECONDS": "0.5",
                   "FORETICK_FORECASTING": "http://127.0.0.1:9"}
    )  # fmt: skip
    gateway.start()

    async def check():
        async with gateway.socket() as ear:
            (hello,) = await ear.hear(1, "hello")
            assert hello["positions"] == {}
            assert (await ear.hear(1, "heartbeat"))[0]["source"] in ("starting", "away")
            ready = await asyncio.to_thread(httpx.get, gateway.url + "/health/ready", timeout=10)
            assert ready.status_code == 503
            assert len(ready.json()["reasons"]) == 4
            assert (await asyncio.to_thread(httpx.get, gateway.url + "/api/symbols", timeout=10)).status_code == 503

    try:
        run(check())
        began = time.monotonic()
        assert gateway.end() == 0
        assert time.monotonic() - began < 8  # nobody waits for what does not answer
    finally:
        gateway.end(signal.SIGKILL)
