"""The schemas, the typed events and the golden bytes agree, for ever."""

import json
from dataclasses import fields, replace
from itertools import chain

import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import SchemaParseException
from avro.schema import make_avsc_object
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from contracts import goldens
from contracts.events import BarClosed, CorporateActionAnnounced, Event, ForecastIssued
from contracts.samples import SAMPLES, sample
from contracts.tools import checks
from contracts.tools.compatibility import incompatibilities
from contracts.tools.differences import changes
from contracts.topics import TOPICS
from contracts.versions import SchemaVersion, newest, versions

EVENTS = [topic.event for topic in TOPICS]
RELEASED = [(event, version) for event in EVENTS for version in versions(event)]


def altered(event: type[Event], change) -> SchemaVersion:
    """Return a next version of an event's schema, changed by `change(schema)`."""
    current = newest(event)
    schema = current.schema
    change(schema)
    return SchemaVersion(current.event, current.version + 1, json.dumps(schema))


def avro_accepts(one: SchemaVersion, other: SchemaVersion) -> bool:
    """Tell what the `avro` package says of two versions, in both directions."""
    pair = [make_avsc_object(version.schema) for version in (one, other)]
    checker = ReaderWriterCompatibilityChecker()
    compatible = SchemaCompatibilityType.compatible
    return all(checker.get_compatibility(*each).compatibility is compatible for each in (pair, pair[::-1]))


def records(schema):
    """Yield a schema's records, the inner ones too."""
    if isinstance(schema, dict):
        if schema["type"] == "record":
            yield schema
        for inner in (schema.get("items"), *(field["type"] for field in schema.get("fields", ()))):
            yield from records(inner)
    elif isinstance(schema, list):
        for branch in schema:
            yield from records(branch)


def test_check_schemas_of_this_repository_finds_nothing():
    assert checks.check_schemas() == []


@pytest.mark.parametrize("event", EVENTS)
def test_typed_event_has_exactly_the_fields_of_its_schema(event):
    assert [field.name for field in fields(event)] == [field["name"] for field in newest(event).schema["fields"]]


@pytest.mark.parametrize("event", EVENTS)
def test_every_field_of_a_schema_is_documented(event):
    def undocumented(schema, path):
        for field in schema["fields"]:
            if not field.get("doc"):
                yield f"{path}.{field['name']}"
            for part in chain([field["type"]], field["type"] if isinstance(field["type"], list) else []):
                inner = part.get("items", part) if isinstance(part, dict) else part
                if isinstance(inner, dict) and inner.get("type") == "record":
                    yield from undocumented(inner, f"{path}.{field['name']}")

    assert list(undocumented(newest(event).schema, event.__name__)) == []


@pytest.mark.parametrize(("event", "version"), RELEASED, ids=lambda item: getattr(item, "__name__", None))
def test_golden_bytes_of_every_version_decode_into_the_typed_event(event, version):
    read = goldens.readable_versions(
        goldens.decode_golden(event, version, goldens.golden_bytes(event, version.version))
    )
    expected = goldens.golden_record(event, version.version)
    assert {name: read[name] for name in expected} == expected


@pytest.mark.parametrize("event", EVENTS)
def test_sample_survives_the_round_trip_through_avro(event):
    version = newest(event)
    assert goldens.decode_golden(event, version, goldens.encode_golden(version, sample(event).to_record())) == sample(
        event
    )


def test_samples_cover_every_event():
    assert {type(item) for item in SAMPLES} == set(EVENTS)


def test_added_nullable_field_with_default_is_compatible():
    added = altered(
        BarClosed, lambda s: s["fields"].append({"name": "venue", "type": ["null", "string"], "default": None})
    )
    assert incompatibilities([newest(BarClosed), added]) == []


@pytest.mark.parametrize(
    ("change", "field", "rule", "instead"),
    [
        (lambda s: s["fields"].pop(9), "volume", "stays for ever", "keep it"),
        (lambda s: s["fields"].append({"name": "venue", "type": "string"}), "venue", "needs a default", "nullable"),
        (lambda s: s["fields"][8].update(type="string"), "close", "a type may not change", "beside it"),
        (lambda s: s["fields"][8].update(type="float"), "close", "a type may not change", "beside it"),
        (lambda s: s["fields"][1].update(type="string"), "exchange", "a type may not change", "beside it"),
        (lambda s: s["fields"][8].update(name="last"), "close", "a rename is a removal", "keep it"),
        (lambda s: s.update(name="Bar"), "BarClosed", "keeps its name", "new event"),
    ],
)
def test_incompatible_change_is_named_with_its_field_and_a_way_out(change, field, rule, instead):
    candidate = altered(BarClosed, change)
    found = [str(item) for item in incompatibilities([*versions(BarClosed), candidate])]
    assert not avro_accepts(newest(BarClosed), candidate)
    assert any(f"Field {field}: " in text and rule in text and instead in text for text in found), found
    assert all("v1, v2" in text for text in found)


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (lambda s: s["fields"][3]["type"].update(logicalType="timestamp-millis"), "opened_at", "logical type"),
        (lambda s: s["fields"][3].update(type="long"), "opened_at", "logical type"),
        (lambda s: s["fields"].append({"name": "venue", "type": "string", "default": "?"}), "venue", "is null where"),
        (lambda s: s["fields"].append({"name": "venue", "type": "string", "default": None}), "venue", "is null where"),
        (lambda s: s["fields"][1].update(type=["string", "null"], default="?"), "exchange", "a type may not change"),
    ],
)
def test_change_that_avro_would_read_with_another_meaning_is_refused_too(change, field, rule):
    candidate = altered(BarClosed, change)
    assert avro_accepts(newest(BarClosed), candidate)
    assert any(
        f"Field {field}: " in text and rule in text
        for text in map(str, incompatibilities([newest(BarClosed), candidate]))
    )


def test_enum_symbol_is_compatible_only_where_the_enum_has_a_default():
    def role(schema):
        return next(field for field in schema["fields"] if field["name"] == "model")["type"]["fields"][4]["type"]

    def without_default(schema):
        role(schema).pop("default")

    bare = replace(altered(ForecastIssued, without_default), version=1)
    more = bare.schema
    role(more)["symbols"].append("RETIRED")
    (found,) = incompatibilities([bare, SchemaVersion(bare.event, 2, json.dumps(more))])
    assert "Field model.role: symbol RETIRED added" in str(found)
    assert (
        incompatibilities([newest(ForecastIssued), altered(ForecastIssued, lambda s: role(s)["symbols"].append("X"))])
        == []
    )


def test_enum_symbol_is_never_removed_even_where_the_enum_has_a_default():
    def fewer(schema):
        kinds = next(field for field in schema["fields"] if field["name"] == "kind")["type"]
        assert kinds["default"] == "UNKNOWN"
        kinds["symbols"].remove("DIVIDEND")

    candidate = altered(CorporateActionAnnounced, fewer)
    assert avro_accepts(newest(CorporateActionAnnounced), candidate)
    (found,) = incompatibilities([newest(CorporateActionAnnounced), candidate])
    assert "Field kind: symbol DIVIDEND removed" in str(found)
    assert "Rule: a symbol stays for ever" in str(found)


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_no_change_that_avro_refuses_goes_unexplained(data):
    event = data.draw(st.sampled_from(EVENTS))

    def change(schema):
        record = data.draw(st.sampled_from(list(records(schema))))
        field = data.draw(st.sampled_from(record["fields"]))
        match data.draw(st.sampled_from(["remove", "type", "rename", "nullable", "add", "record", "nothing"])):
            case "remove":
                record["fields"].remove(field)
            case "type":
                field["type"] = data.draw(st.sampled_from(["int", "long", "double", "string", "bytes", "boolean"]))
                field.pop("default", None)
            case "rename":
                field["name"] += "_2"
            case "nullable":
                field["type"] = ["null", "string"]
                field["default"] = None
            case "add":
                record["fields"].append({"name": "added", "type": "string"})
            case "record":
                record["name"] += "2"

    try:
        candidate = altered(event, change)
        accepted = avro_accepts(newest(event), candidate)
    except SchemaParseException:
        reject()  # a definition went that others refer to
    explained = [item for item in changes(newest(event).schema, candidate.schema) if item.rule]
    assert accepted or explained
    assert all(item.instead and item.meaning for item in explained)


def test_schema_changed_in_place_is_found(monkeypatch):
    monkeypatch.setattr(checks, "released", lambda: goldens.released() | {"BarClosed/v1.avsc": "0" * 64})
    assert any("BarClosed/v1.avsc was changed in place" in text for text in checks.check_schemas())


def test_released_schema_that_is_gone_is_found(monkeypatch):
    monkeypatch.setattr(checks, "released", lambda: goldens.released() | {"BarClosed/v0.avsc": "0" * 64})
    assert any("BarClosed/v0.avsc was released and is gone" in text for text in checks.check_schemas())
