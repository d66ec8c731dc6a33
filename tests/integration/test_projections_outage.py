"""The document server killed in the middle of a stream: nothing is lost, and the state is proved afterwards."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from projections import takeover
from projections.mongo import Store
from projections.read_models.table import READ_MODELS
from projections.rebuild import rebuild
from projections.settings import ProjectionSettings
from streaming.errors import StoreAway
from tests.integration.projecting import (
    Running,
    assert_reconciled,
    bars,
    documents,
    expected,
    publish,
    until,
)
from tests.support.ports import free_port
from tests.support.topics import clear_topics

pytestmark = pytest.mark.realtime


class DocumentServer:
    """A document server of this test's own, to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.uri = f"mongodb://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = str(Path(sys.executable).with_name("secantusd-py"))
        place = ("--host", "127.0.0.1", "--port", str(self.port), "--storage-path", str(self._folder))
        self._process = subprocess.Popen((program, *place, "--standalone", "--log-level", "WARNING"))
        until(self._answers, "the document server answers")

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _answers(self) -> bool:
        try:
            with MongoClient(self.uri, serverSelectionTimeoutMS=200) as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True


@pytest.fixture
def server(tmp_path) -> Iterator[DocumentServer]:
    server = DocumentServer(tmp_path / "data")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def settings(isolated, server, monkeypatch) -> Iterator[ProjectionSettings]:
    monkeypatch.setenv("FORETICK_MONGODB", server.uri)
    settings = ProjectionSettings(snapshot_seconds=0)
    yield settings
    clear_topics(settings)


def test_outage_document_server_killed_in_mid_stream_loses_nothing(settings, server):
    publish(settings, bars(3000))

    with Running(settings) as running:
        for half in range(2):
            publish(settings, bars(1500, first=3000 + 1500 * half))
            until(lambda: any(row["applied"] for row in _rows(running)), "events come in")
            server.kill()
            publish(settings, bars(300, first=1000 + half * 300, revision=1))
            until(lambda: any("MongoDB" in reason for reason in running.service.reasons()), "the outage is reported")
            server.start()
            until(lambda: not running.service.reasons(), "the projections go on by themselves", 60)
        running.catch_up(120)
        assert running.service.status()["failed"] == []

    for model in READ_MODELS:
        assert documents(settings, model.name) == expected(settings, model), model.name
        for row in assert_reconciled(settings, model):
            assert row["read"] == row["next_offset"]
            assert row["dead"] == 0
    assert len(documents(settings, "stock_data")) == 6000
    assert rebuild(settings, "stock_data").equal


def test_outage_document_server_that_is_late_is_waited_for(settings, server):
    server.kill()
    publish(settings, bars(10))
    with Running(settings, READ_MODELS[0]) as running:
        until(lambda: any("MongoDB" in reason for reason in running.service.reasons()), "it waits and says for what")
        assert running.thread.is_alive()
        server.start()
        running.catch_up()
        server.kill()
        publish(settings, bars(5, first=10))
        until(lambda: any(row["lag_seconds"] > 2 for row in _rows(running)), "the lag is told and grows while it waits")
        assert sum(row["lag"] for row in _rows(running)) == 5
        server.start()
        running.catch_up()
        until(lambda: {row["lag_seconds"] for row in _rows(running)} == {0.0}, "the lag is gone")
    assert len(documents(settings, "stock_data")) == 15


def test_outage_during_a_rebuild_leaves_the_live_read_model_and_the_next_rebuild_works(settings, server):
    publish(settings, bars(6000))
    with Running(settings, READ_MODELS[0]) as running:
        running.catch_up()
    seen: list[int] = []

    def killing(done: int, total: int) -> None:
        if not seen:
            server.kill()
        seen.append(done)

    with pytest.raises(StoreAway, match="MongoDB"):
        rebuild(settings, "stock_data", progress=killing)
    assert 0 < seen[0] < 6000
    server.start()

    assert documents(settings, "stock_data") == expected(settings, READ_MODELS[0])
    began = time.monotonic()
    assert rebuild(settings, "stock_data").equal
    assert time.monotonic() - began < 40


@pytest.mark.parametrize(("seconds", "live"), [(0.1, True), (0.6, False)])
def test_outage_in_the_middle_of_the_rename_is_mended_from_the_log(settings, server, monkeypatch, seconds, live):
    model = READ_MODELS[0]
    publish(settings, bars(12_000))
    monkeypatch.setattr(takeover, "LEASE", timedelta(seconds=5))
    monkeypatch.setattr(takeover, "COMMIT", timedelta(seconds=5))
    renamed = Store.rename

    def rename(store: Store, source: str, target: str) -> None:
        threading.Timer(seconds, server.kill).start()
        renamed(store, source, target)

    monkeypatch.setattr(Store, "rename", rename)
    with Running(settings, model) as running:
        running.catch_up(120)
        if not live:
            running.stop.set()
            running.thread.join()
        with pytest.raises(StoreAway, match="MongoDB"):
            rebuild(settings, "stock_data", accept_difference=True)
        server.start()
        if live:  # after half a takeover it ends, for it cannot go back by itself; after none or all of one, it goes on
            until(lambda: running.code == 1 or not _rebuilding(settings), "the writer begins again, or goes on")

    with Running(settings, model) as running:
        until(lambda: _rows(running), "the rebuild's lease has run out")
        running.catch_up(120)

    assert documents(settings, "stock_data") == expected(settings, model)
    assert_reconciled(settings, model)


def _rebuilding(settings: ProjectionSettings) -> bool:
    with closing(Store(settings)) as store:
        return bool(store.generation("stock_data").get("rebuild"))


def _rows(running: Running) -> list[dict]:
    return [row for model in running.service.status()["read_models"] for row in model["partitions"]]
