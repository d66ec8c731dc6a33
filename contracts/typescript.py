"""The events as TypeScript, as they arrive in JSON: what the web app is compiled against."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contracts.topics import TOPICS
from contracts.versions import newest

_HEAD = """\
// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

/** A moment: RFC 3339 in UTC. */
export type Instant = string;

/** A date: ISO 8601, `YYYY-MM-DD`. */
export type CalendarDate = string;
"""
_PRIMITIVES = {
    **dict.fromkeys(("int", "long", "float", "double"), "number"),
    "string": "string",
    "boolean": "boolean",
    "null": "null",
}
_LOGICAL = {"timestamp-micros": "Instant", "timestamp-millis": "Instant", "date": "CalendarDate"}


def declarations() -> str:
    """Return one module with an interface for each event and each record inside one, and a type for each enum.

    Raises:
        ValueError: two events define one name differently, or use a type that these events have not used so far.
    """
    defined: dict[str, str] = {}
    for topic in TOPICS:
        for name, text in _definitions(newest(topic.event).schema):
            if defined.setdefault(name, text) != text:
                raise ValueError(f"{topic.event.__name__} defines {name} otherwise than another event does")
    return "\n".join([_HEAD, *defined.values()])


def _definitions(schema: Any) -> Iterator[tuple[str, str]]:
    """Yield name and text of all named types of a schema, the inner ones first."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _definitions(branch)
    elif isinstance(schema, Mapping):
        for inner in (schema.get("items"), *(field["type"] for field in schema.get("fields", ()))):
            yield from _definitions(inner)
        if schema["type"] == "enum":
            symbols = " | ".join(f"'{symbol}'" for symbol in schema["symbols"])
            yield schema["name"], "".join([*_doc(schema), f"export type {schema['name']} = {symbols};\n"])
        elif schema["type"] == "record":
            yield schema["name"], _interface(schema)


def _interface(schema: Mapping[str, Any]) -> str:
    lines = [*_doc(schema), f"export interface {schema['name']} {{\n"]
    for field in schema["fields"]:
        lines += [*_doc(field, "  "), f"  readonly {field['name']}: {_type(field['type'])};\n"]
    return "".join([*lines, "}\n"])


def _type(schema: Any) -> str:
    if isinstance(schema, list):
        return " | ".join(_type(branch) for branch in sorted(schema, key=lambda branch: branch == "null"))
    if isinstance(schema, str):
        return _PRIMITIVES.get(schema, schema.rsplit(".", 1)[-1])
    if logical := schema.get("logicalType"):
        return _LOGICAL[logical]
    if schema["type"] == "array":
        inner = _type(schema["items"])
        return f"readonly ({inner})[]" if "|" in inner else f"readonly {inner}[]"
    if schema["type"] in ("record", "enum"):
        return str(schema["name"])
    raise ValueError(f"no TypeScript is known for the Avro type {schema}")


def _doc(schema: Mapping[str, Any], indent: str = "") -> Iterable[str]:
    return [f"{indent}/** {schema['doc']} */\n"] if schema.get("doc") else []
