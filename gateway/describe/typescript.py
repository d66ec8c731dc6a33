"""TypeScript of what the gateway takes and answers, from its OpenAPI: the web app's types are then the gateway's own.

What an answer takes over from an event is the event's type: it is imported from the types that the schemas make.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.tools.typescript import shapes
from gateway.describe.socket_messages import MODELS

_BY = "// Generated from the gateway's OpenAPI by `foretick contracts generate`. Do not edit.\n"
_REST = f"{_BY}\n/** What the gateway's REST routes take and answer. */\n"
_SOCKETS = f"{_BY}\n/** What goes over the gateway's WebSockets. */\n"
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_DATES = {"date-time": "Instant", "date": "CalendarDate"}
_GENERIC = re.compile(r"(\w+?)_(\w+)_")  # FastAPI's name for Page[Bar]: Page_Bar_


def gateway_modules(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the modules by name, from the gateway's OpenAPI."""
    messages = {model.__name__ for model in MODELS}
    own = {name: schema for name, schema in spec["components"]["schemas"].items() if name not in shapes()}
    rest = {name: schema for name, schema in own.items() if name not in messages}
    sockets = {name: schema for name, schema in own.items() if name in messages}
    return {
        "rest-types": gateway_module(_REST, rest),
        "socket-types": gateway_module(_SOCKETS, sockets, elsewhere=rest),
    }


def gateway_module(head: str, schemas: Mapping[str, Any], *, elsewhere: Mapping[str, Any] | None = None) -> str:
    """Return one interface for each schema, by name; `elsewhere` are those of `rest-types.ts`."""
    made: dict[str, str] = {}
    for name in sorted(schemas):
        made.setdefault(_parts(name)[0], "\n".join(_interface(name, schemas[name])))
    used = set(re.findall(r"\b[A-Z]\w+", re.sub(r"/\*\*.*?\*/|'.*?'", "", "".join(made.values()))))
    homes = {"./events": {*shapes(), *_DATES.values()}, "./rest-types": {_parts(name)[0] for name in elsewhere or ()}}
    imports = [
        f"import type {{ {', '.join(sorted(names & used))} }} from '{home}';\n"
        for home, names in homes.items()
        if names & used
    ]
    return "\n".join([head + "".join(imports), *made.values()])


def _interface(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of an interface; every page is the first one's, of any `T`."""
    base, of = _parts(name)
    if about := schema.get("description"):
        yield f"/** {' '.join(about.split())} */"
    yield f"export interface {base}<T> {{" if of else f"export interface {base} {{"
    required = schema.get("required", ())
    for field, kind in schema["properties"].items():
        if about := kind.get("description"):
            yield f"  /** {' '.join(about.split())} */"
        text = re.sub(rf"\b{of}\b", "T", _type(kind)) if of else _type(kind)
        yield f"  readonly {field}{'' if field in required else '?'}: {text};"
    yield "}\n"


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(json.dumps(value).replace('"', "'") for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"]).replace('"', "'")
    kind = schema.get("type")
    if kind == "array":
        item = _type(schema["items"])
        return f"readonly ({item})[]" if "|" in item else f"readonly {item}[]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"Readonly<Record<string, {_type(values) if isinstance(values, dict) else 'unknown'}>>"
    return _DATES.get(str(schema.get("format"))) or _PLAIN.get(str(kind), "unknown")


def _name(schema: str) -> str:
    """Return a schema's name as TypeScript uses it: `Page_Bar_` is `Page<Bar>`."""
    base, of = _parts(schema)
    return f"{base}<{of}>" if of else base


def _parts(schema: str) -> tuple[str, str]:
    """Return what a schema is, and what of: `Page` and `Bar` of `Page_Bar_`; nothing, unless it is generic."""
    generic = _GENERIC.fullmatch(schema)
    return (generic[1], generic[2]) if generic else (schema, "")
