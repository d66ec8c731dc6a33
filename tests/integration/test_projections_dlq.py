"""Dead letters listed, mended, redriven and dropped: the state is then that of a run in which nothing went wrong."""

import json
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import httpx
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from fastavro import parse_schema, schemaless_writer

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from contracts.versions import newest
from projections.documents import business
from projections.read_models.bars import BARS
from projections.read_models.revisions import REVISIONS
from projections.read_models.symbols import SYMBOLS
from projections.rebuild import RebuildRefused, rebuild
from projections.settings import ProjectionSettings
from streaming.admin import ensure_topics, register_schemas
from streaming.codec import Codec
from streaming.dead_letters import DeadLetters
from streaming.reader import read_all
from tests.integration.projecting import (
    Running,
    assert_reconciled,
    bars,
    clear,
    command,
    database,
    documents,
    expected,
    publish,
    publish_raw,
)

MODELS = (BARS, REVISIONS, SYMBOLS)


@pytest.fixture
def clean(settings) -> Iterator[ProjectionSettings]:
    """Topics and a database beside those of the test, for the run in which nothing goes wrong."""
    clean = settings.model_copy(
        update={
            "topic_prefix": f"{settings.topic_prefix}clean-",
            "mongodb_database": f"{settings.mongodb_database}-clean",
        }
    )
    ensure_topics(clean)
    register_schemas(clean)
    yield clean
    clear(clean)


class ForgetfulRegistry:
    """Passes requests on to the real registry, but answers 404 for the schema ids in `hidden`."""

    def __init__(self, url: str) -> None:
        self.hidden: set[int] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if any(f"/schemas/ids/{number}" in self.path for number in outer.hidden):
                    status, body = 404, b'{"error_code": 40403, "message": "Schema not found"}'
                else:
                    answer = httpx.get(url + self.path)
                    status, body = answer.status_code, answer.content
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def of_a_newer_writer(settings: ProjectionSettings, event: BarClosed) -> tuple[int, bytes]:
    """Register a schema with one more field; return its id and an event written with it."""
    schema = dict(newest(BarClosed).schema)
    schema["fields"] = [*schema["fields"], {"name": "auction", "type": ["null", "double"], "default": None}]
    client = SchemaRegistryClient({"url": settings.registry, "timeout": 10})
    subject = f"{settings.topic_prefix}{STOCK_DATA.subject}"
    number = client.register_schema(subject, Schema(json.dumps(schema), "AVRO"))
    out = BytesIO(struct.pack(">bI", 0, number))
    out.seek(0, 2)
    schemaless_writer(out, parse_schema(schema), {**event.to_record(), "auction": None})
    return number, out.getvalue()


def business_state(settings: ProjectionSettings) -> dict[str, Any]:
    """Return what the read models say, without the places in the log that they name."""
    return {
        model.name: {
            key: {name: value for name, value in business(document).items() if name != "position"}
            for key, document in documents(settings, model.name).items()
        }
        for model in MODELS
    }


def project(settings: ProjectionSettings) -> None:
    with Running(settings, *MODELS) as running:
        running.catch_up()


def foretick(*arguments: str, code: int = 0) -> str:
    return command("dlq", *arguments, code=code)


def test_redrive_of_a_mended_event_gives_the_clean_runs_state_and_a_rebuild_gives_it_again(
    settings, clean, monkeypatch
):
    events = bars(40)
    number, odd = of_a_newer_writer(settings, events[20])
    registry = ForgetfulRegistry(settings.registry)
    registry.hidden.add(number)
    monkeypatch.setenv("FORETICK_REGISTRY", registry.url)
    settings, real = settings.model_copy(update={"registry": registry.url}), settings
    publish(real, events[:20])
    publish_raw(settings, odd)
    publish(real, [*events[21:], *bars(10, revision=1)])
    project(settings)
    (letter,) = DeadLetters(settings).of(STOCK_DATA).open
    assert letter.dead.schema_id == number
    assert "not in the registry" in foretick("redrive", letter.name, code=1)

    registry.hidden.clear()
    assert "stock-data[" in foretick("redrive", "--all")
    project(settings)

    publish(clean, [*events, *bars(10, revision=1)])
    project(clean)
    assert business_state(settings) == business_state(clean)
    assert len(documents(settings, "stock_data")) == 40
    for model in MODELS:
        assert sum(row["dead"] for row in assert_reconciled(settings, model)) == (
            1 if STOCK_DATA in model.topics else 0
        )
        report = rebuild(settings, model.name)  # needs no --skip-dead: the letter is settled
        assert report.equal
        assert report.dead == 1
    proved = {model.name: documents(settings, model.name) for model in MODELS}

    with database(settings) as found:
        found.client.drop_database(found.name)
    project(settings)  # from nothing, when the original could be read

    assert {model.name: documents(settings, model.name) for model in MODELS} == proved
    assert len(DeadLetters(settings).of(STOCK_DATA).by_number) == 1
    registry.close()


def test_redrive_of_bytes_that_no_one_can_read_publishes_the_event_they_should_have_been(settings, tmp_path):
    good = bars(3)
    broken = dict(good[1].to_record(), low=1e6)
    publish(settings, [good[0]])
    whole = Codec(settings).encode(good[1])
    publish_raw(settings, whole[:-9])
    out = BytesIO()
    schemaless_writer(out, parse_schema(newest(BarClosed).schema), broken)
    publish_raw(settings, whole[:5] + out.getvalue())
    publish(settings, [good[2]])
    project(settings)

    assert "2 open, 0 settled" in (listed := foretick("list", "stock-data"))
    assert "broken invariant: low" in listed
    assert "stock-data[0]@" in foretick("show", "stock-data/0")
    assert "write it by hand" in foretick("show", "stock-data/0", "--json", code=1)
    assert "--event FILE" in foretick("redrive", "stock-data/0", code=1)
    mended = tmp_path / "mended.json"
    shown = json.loads(foretick("show", "stock-data/1", "--json"))
    assert shown["low"] == 1e6
    mended.write_text(json.dumps(shown))
    assert "this is no BarClosed" in foretick("redrive", "stock-data/1", "--event", str(mended), code=1)
    mended.write_text(json.dumps({**shown, "low": good[1].low}))
    foretick("redrive", "stock-data/1", "--event", str(mended))
    foretick("drop", "stock-data/0", "--reason", "the same bar as the other")
    project(settings)

    assert [record.event for record in read_all(settings, STOCK_DATA) if record.event == good[1]] == [good[1]]
    assert "0 open, 2 settled" in (settled := foretick("list", "--all"))
    assert "the same bar as the other" in settled
    assert len(documents(settings, "stock_data")) == 3
    for model in MODELS:
        assert rebuild(settings, model.name).equal
    assert "settled already: DROPPED" in foretick("drop", "stock-data/0", "--reason", "again", code=1)
    assert "no dead letter" in foretick("show", "stock-data/7", code=1)


def test_rebuild_stops_at_an_open_letter_and_passes_over_a_dropped_one(settings):
    publish(settings, bars(10))
    publish_raw(settings, b"poison")
    project(settings)
    with pytest.raises(RebuildRefused, match="foretick dlq"):
        rebuild(settings, "stock_data")

    foretick("drop", "stock-data/0", "--reason", "a test's poison")
    report = rebuild(settings, "stock_data")

    assert report.equal
    assert (report.read, report.applied, report.dead) == (11, 10, 1)
    assert documents(settings, "stock_data") == expected(settings, BARS)


@pytest.mark.parametrize("decision", [("redrive", "--all"), ("drop", "stock-data/0", "--reason", "poison")])
def test_nothing_is_decided_of_letters_while_the_exchange_is_silent(settings, monkeypatch, decision):
    publish_raw(settings, b"poison")
    project(settings)
    monkeypatch.setenv("FORETICK_CLOCK_URL", "http://127.0.0.1:9/clock")

    said = foretick(*decision, code=1)

    assert "the clock at http://127.0.0.1:9/clock does not answer" in said
    assert "Traceback" not in said
    assert len(DeadLetters(settings).of(STOCK_DATA).open) == 1


def test_poison_read_again_from_the_beginning_is_not_buried_again(settings):
    publish_raw(settings, b"poison")
    publish(settings, bars(5))
    project(settings)
    with database(settings) as found:
        found["checkpoints"].update_many({}, {"$set": {"next_offset": 0}})

    project(settings)

    (letter,) = DeadLetters(settings).of(STOCK_DATA).by_number.values()
    assert letter.times == 1
    assert sum(row["dead"] for row in assert_reconciled(settings, BARS)) == 2
