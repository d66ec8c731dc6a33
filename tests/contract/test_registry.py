"""The live registry holds our schemas, at the level we ask for, and refuses what we refuse."""

import json
from dataclasses import replace

import pytest

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA, TOPICS
from contracts.versions import SchemaVersion, newest, versions
from streaming import checks
from streaming.checks import Findings, check_against, check_registry
from streaming.registry import COMPATIBILITY, Registry, RegistryAway, SchemaRefused, SchemaUnknown
from streaming.settings import StreamSettings


@pytest.fixture
def registry(isolated) -> Registry:
    return Registry(StreamSettings())


def without(name: str) -> SchemaVersion:
    schema = newest(STOCK_DATA.event).schema
    schema["fields"] = [field for field in schema["fields"] if field["name"] != name]
    return SchemaVersion("BarClosed", 3, json.dumps(schema))


def test_registry_after_start_up_agrees_with_the_repository(isolated):
    assert check_registry(StreamSettings()) == Findings()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_subject_has_its_level_set_explicitly(registry, topic):
    assert registry.level(topic) == COMPATIBILITY


def test_removed_field_without_default_is_refused_by_us_and_by_the_registry(registry):
    found = check_against(registry, STOCK_DATA, without("volume"))
    assert any("Field volume" in text and "stays for ever" in text and "Instead: keep it" in text for text in found)
    assert any("refuses v3" in text for text in found)
    with pytest.raises(SchemaRefused, match="foretick contracts check"):
        registry.register(STOCK_DATA, without("volume"))


def test_version_not_registered_yet_is_a_note_and_a_stranger_in_the_registry_a_fault(isolated, registry, monkeypatch):
    (v1, v2), check = versions(STOCK_DATA.event), check_registry
    schema = v2.schema
    schema["fields"].append({"name": "venue", "type": ["null", "string"], "default": None})
    v3 = SchemaVersion("BarClosed", 3, json.dumps(schema))

    monkeypatch.setattr(
        checks, "versions", lambda event: (*versions(event), v3) if event is BarClosed else versions(event)
    )
    found = check(StreamSettings())
    assert (found.problems, len(found.notes)) == ([], 1)
    assert "v3 is not registered yet; `foretick contracts register`" in found.notes[0]

    # As if the file of version 2, and its checksum with it, had been changed in place.
    monkeypatch.setattr(
        checks, "versions", lambda event: (v1, replace(v3, version=2)) if event is BarClosed else versions(event)
    )
    (problem,) = check(StreamSettings()).problems
    assert "version 2 of the registry" in problem
    assert "a released file was changed" in problem


def test_registering_again_gives_the_same_id(registry):
    version = newest(STOCK_DATA.event)
    assert registry.register(STOCK_DATA, version) == registry.id_of(STOCK_DATA, version)


def test_unknown_schema_id_is_told_from_an_absent_registry(isolated, registry):
    with pytest.raises(SchemaUnknown):
        registry.schema_text(2**30)
    away = Registry(StreamSettings(registry="http://127.0.0.1:9"))
    with pytest.raises(RegistryAway, match=r"127\.0\.0\.1:9"):
        away.schema_text(1)
