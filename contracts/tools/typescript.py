"""The events as TypeScript, as they arrive in JSON: what the web app is compiled against, a module for each event."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contracts.topics import TOPICS
from contracts.versions import newest

_HEAD = "// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.\n"
_MOMENTS = f"""\
{_HEAD}
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


def event_modules() -> dict[str, str]:
    """Return the modules by name: one for each event, `moments` for what all share, and `index` with all of it.

    A module has an interface for its event and for each record inside it, and a type for each enum; what an earlier
    module has defined is imported.

    Raises:
        ValueError: two events define one name differently, or use a type that these events have not used so far.
    """
    made = {"moments": _MOMENTS}
    defined: dict[str, tuple[str, str]] = {}  # name: the module that has it, and its text
    for topic in TOPICS:
        module = _kebab(topic.event.__name__)
        own = dict(_definitions(newest(topic.event).schema))
        for name, text in own.items():
            if defined.setdefault(name, (module, text))[1] != text:
                raise ValueError(f"{topic.event.__name__} defines {name} otherwise than another event does")
        texts = [text for name, text in own.items() if defined[name][0] == module]
        made[module] = "\n".join([_HEAD, *_imports(module, "".join(texts), defined), *texts])
    made["index"] = _HEAD + "\n" + "".join(f"export type * from './{name}';\n" for name in sorted(made))
    return made


def shapes() -> dict[str, Mapping[str, Any]]:
    """Return the schema of each named type of all events: records and enums, by name."""
    return {schema["name"]: schema for topic in TOPICS for schema in _named(newest(topic.event).schema)}


def _imports(module: str, text: str, defined: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield the lines that import what a module uses and does not define."""
    homes = {**dict.fromkeys(_LOGICAL.values(), "moments"), **{name: home for name, (home, _) in defined.items()}}
    used: dict[str, set[str]] = {}
    for name in re.findall(r"\b[A-Z]\w+\b", re.sub(r"/\*\*.*?\*/|'\w+'", "", text)):
        if name in homes and homes[name] != module:
            used.setdefault(homes[name], set()).add(name)
    for home in sorted(used):
        yield f"import type {{ {', '.join(sorted(used[home]))} }} from './{home}';\n"


def _named(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all named types of a schema, the inner ones first."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _named(branch)
    elif isinstance(schema, Mapping):
        for inner in (schema.get("items"), *(field["type"] for field in schema.get("fields", ()))):
            yield from _named(inner)
        if schema["type"] in ("enum", "record"):
            yield schema


def _definitions(schema: Any) -> Iterator[tuple[str, str]]:
    """Yield name and text of all named types of a schema."""
    for named in _named(schema):
        if named["type"] == "enum":
            symbols = " | ".join(f"'{symbol}'" for symbol in named["symbols"])
            yield named["name"], "".join([*_doc(named), f"export type {named['name']} = {symbols};\n"])
        else:
            yield named["name"], _interface(named)


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


def _kebab(name: str) -> str:
    """Return `BarClosed` as `bar-closed`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
