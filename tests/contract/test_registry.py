"""The live registry holds our schemas, at the level we ask for, and refuses what we refuse."""

import json
import random
import struct
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.events import BarClosed, Event
from contracts.samples import sample
from contracts.topics import CORPORATE_ACTIONS, STOCK_DATA, TOPICS
from contracts.versions import SchemaVersion, newest, versions
from producers.ledger import Ledger, OwnUnreadable
from producers.settings import ProducerSettings
from streaming import checks
from streaming.admin import ensure_topics, register_schemas
from streaming.checks import Findings, check_against, check_registry
from streaming.codec import Codec
from streaming.dead_letters import DeadLetters
from streaming.errors import RegistryAway
from streaming.publisher import Publisher
from streaming.reader import read_all, read_range, watermarks
from streaming.redriving import Redriver
from streaming.registry import COMPATIBILITY, Registry, SchemaLost, SchemaRefused, SchemaUnknown
from streaming.restoring import RestoreRefused, restore_registry
from streaming.settings import StreamSettings
from tests.support.topics import clear_topics, produce


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


OURS = {"ce_source": "/foretick/producers"}
LOST = random.randrange(1 << 30, 1 << 31)  # an id that no registry of a test ever comes to


def lost_bytes(event: Event | None = None, schema_id: int = LOST) -> bytes:
    """Return an event's bytes under the id that another registry, lost since, had given to its schema."""
    return struct.pack(">bI", 0, schema_id) + Codec(StreamSettings()).encode(event or sample(BarClosed))[5:]


def test_event_of_ours_whose_schema_the_registry_has_lost_is_no_dead_letter_and_nobody_reads_on(isolated):
    settings = StreamSettings()
    produce(settings, STOCK_DATA, lost_bytes(), b"AAPL", OURS)
    with pytest.raises(SchemaLost, match=rf"as BarClosed v2 with schema id {LOST}.*foretick contracts restore"):
        list(read_all(settings, STOCK_DATA))
    with pytest.raises(SchemaLost):
        Ledger(ProducerSettings()).fold_log()
    (problem,) = check_registry(settings).problems
    assert "stock-data: 1 messages from [" in problem
    assert f"schema id {LOST}" in problem
    assert "Instead: `foretick contracts restore`" in problem

    (given,) = restore_registry(settings)
    assert (given.use.schema_id, given.version) == (LOST, newest(BarClosed))
    assert [record.event for record in read_all(settings, STOCK_DATA)] == [sample(BarClosed)]
    assert check_registry(settings) == Findings()
    assert restore_registry(settings) == []


def test_registry_that_holds_another_schema_under_the_id_has_lost_it_too(isolated):
    settings = StreamSettings()
    other = Registry(settings).id_of(CORPORATE_ACTIONS, newest(CORPORATE_ACTIONS.event))
    produce(settings, STOCK_DATA, struct.pack(">bI", 0, other) + lost_bytes()[5:], b"AAPL", OURS)
    with pytest.raises(SchemaLost, match="is of CorporateActionAnnounced, not of BarClosed"):
        list(read_all(settings, STOCK_DATA))
    with pytest.raises(RestoreRefused, match=r"uses the id for another schema.*empty the registry's storage"):
        restore_registry(settings)


@pytest.mark.parametrize("headers", [{}, {"ce_source": "/elsewhere"}])
def test_bytes_of_a_stranger_with_an_unknown_schema_id_stay_a_dead_letter(isolated, headers):
    settings = StreamSettings()
    produce(settings, STOCK_DATA, lost_bytes(schema_id=LOST - 1), b"AAPL", headers)
    produce(settings, STOCK_DATA, struct.pack(">bI", 0, LOST - 1) + b"no event of any version", b"AAPL", OURS)
    dead = []
    marks = watermarks(settings, STOCK_DATA)
    ends = {place: high for place, (_, high) in marks.items()}
    assert list(read_range(settings, STOCK_DATA, {}, ends, on_poison="skip", on_dead=dead.append)) == []
    assert ["is not in the registry" in each.error for each in dead] == [True, True]


def test_schemas_are_not_registered_anew_beside_a_log_that_has_messages(isolated):
    """As `up` would after the registry has lost its storage: the ids would be others than those of the log."""
    settings = StreamSettings(topic_prefix=f"{isolated.topic_prefix}late-")
    ensure_topics(settings)
    produce(settings, STOCK_DATA, Codec(StreamSettings()).encode(sample(BarClosed)), b"AAPL", OURS)
    with pytest.raises(SchemaLost, match=r"has no schema of stock-data, which hold messages.*contracts restore"):
        register_schemas(settings)
    assert restore_registry(settings) == []  # the ids are there, of another subject: nothing was lost but the names
    register_schemas(settings)
    clear_topics(settings)


def test_unreadable_event_of_the_producers_own_stops_them_until_its_letter_is_settled(isolated):
    settings = StreamSettings()
    produce(settings, STOCK_DATA, b"\x01 of a stranger", b"AAPL", partition=2)
    produce(settings, STOCK_DATA, Codec(settings).encode(sample(BarClosed))[:-9], b"AAPL", OURS, partition=2)
    with pytest.raises(OwnUnreadable, match=r"stock-data\[2\]@1 is ours and cannot be read.*foretick dlq"):
        Ledger(ProducerSettings()).fold_log()

    marks = {place: high for place, (_, high) in watermarks(settings, STOCK_DATA).items()}
    dead = []
    assert list(read_range(settings, STOCK_DATA, {}, marks, on_poison="skip", on_dead=dead.append)) == []
    with Publisher(settings, "/foretick/dead-letters") as publisher:
        publisher.bury(dead[1])
    (letter,) = DeadLetters(settings).of(STOCK_DATA).open
    Redriver(settings, lambda: datetime.now(UTC)).drop(letter, "cut off in a test")
    assert Ledger(ProducerSettings()).fold_log() == 0
