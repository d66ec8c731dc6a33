"""The AsyncAPI document: valid by AsyncAPI's own parser, true to what is published, served and committed."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from contracts.samples import sample
from contracts.tools.asyncapi import AVRO
from contracts.topics import TOPICS
from contracts.versions import newest
from gateway.describe.asyncapi import asyncapi_document, asyncapi_text
from stack.cli.main import app
from stack.commands import generated
from stack.layout import PROJECT
from streaming.headers import SEQUENCE, headers_for
from tests.support.gateways import gateway
from tests.support.node import run

FILE = PROJECT / "docs" / "reference" / "asyncapi.json"
COMMAND = typer.main.get_command(app)


def diagnose(made: dict[str, Any], folder: Path) -> dict[str, Any]:
    path = folder / "asyncapi.json"
    path.write_text(json.dumps(made))
    found: dict[str, Any] = run("validate.js", str(path))
    return found


@pytest.mark.slow  # the parser is two hundred npm packages
def test_document_is_valid_by_asyncapis_own_parser(tmp_path: Path) -> None:
    found = diagnose(asyncapi_document(), tmp_path)
    assert [each for each in found["diagnostics"] if each["severity"] < 2] == []
    names = {name for topic in TOPICS for name in (topic.name, topic.dlq)}
    assert set(found["channels"]) == names | {"live", "forecast"}


@pytest.mark.slow
@pytest.mark.parametrize("spoil", ["reference", "schema", "version"])
def test_document_that_is_wrong_is_refused_by_the_parser(spoil: str, tmp_path: Path) -> None:
    made = asyncapi_document()
    if spoil == "reference":
        made["channels"]["stock-data"]["messages"]["BarClosed"]["$ref"] = "#/components/messages/Nothing"
    elif spoil == "schema":
        made["components"]["messages"]["BarClosed"]["payload"]["schema"]["fields"][0].pop("type")
    else:
        made["asyncapi"] = "9.0.0"
    assert [each for each in diagnose(made, tmp_path)["diagnostics"] if each["severity"] == 0] != []


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_channel_carries_the_newest_schema_and_the_real_headers(topic: Any) -> None:
    made = asyncapi_document()
    event = sample(topic.event)
    payload = made["components"]["messages"][topic.event.__name__]["payload"]
    assert payload == {"schemaFormat": AVRO, "schema": newest(topic.event).schema}
    described = made["components"]["schemas"]["Headers"]
    alone, caused = (
        {name for name, _ in headers_for(event, "/tests", datetime.now(UTC), cause)} for cause in (None, {"ce_id": "1"})
    )
    assert set(described["required"]) == alone
    assert set(described["properties"]) == caused | {SEQUENCE}


def test_committed_document_is_what_the_contracts_make_and_a_stale_one_is_found(tmp_path: Path) -> None:
    assert FILE.read_text(encoding="utf-8") == asyncapi_text()
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    (tmp_path / "docs" / "reference" / "asyncapi.json").write_text(asyncapi_text().replace("BarClosed", "BarOpened"))
    assert any("reference/asyncapi.json is not what" in each for each in generated.outdated_files(tmp_path, COMMAND))
    generated.write_generated(tmp_path, COMMAND)
    assert generated.outdated_files(tmp_path, COMMAND) == []


def test_gateway_serves_the_document_as_it_is_committed() -> None:
    async def check() -> None:
        async with gateway() as running:
            answer = await running.http.get("/asyncapi.json")
            assert answer.headers["content-type"] == "application/json"
            assert answer.text == FILE.read_text(encoding="utf-8")

    asyncio.run(check())
