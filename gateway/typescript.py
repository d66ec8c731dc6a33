"""TypeScript types of the REST answers, from the OpenAPI description: `python -m gateway.typescript` writes them.

The web app's types are then the gateway's own; a test fails where the file is not what this makes of the routes.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.app import create_app
from gateway.settings import GatewaySettings

FILE = Path(__file__).parent.parent / "web" / "src" / "app" / "core" / "rest-types.ts"

_HEAD = """\
/** What the gateway's REST routes take and answer. Written by `python -m gateway.typescript`; do not edit. */

/** RFC 3339 in UTC. */
export type Instant = string;
"""
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def typescript(spec: Mapping[str, Any]) -> str:
    """Return one interface for each schema of an OpenAPI description, by name."""
    schemas = spec["components"]["schemas"]
    return "\n".join([_HEAD, *("\n".join(_interface(name, schemas[name])) for name in sorted(schemas))])


def _interface(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    if about := schema.get("description"):
        yield f"/** {' '.join(about.split())} */"
    yield f"export interface {_name(name)} {{"
    required = schema.get("required", ())
    for field, kind in schema["properties"].items():
        if about := kind.get("description"):
            yield f"  /** {' '.join(about.split())} */"
        yield f"  readonly {field}{'' if field in required else '?'}: {_type(kind)};"
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
    if schema.get("format") == "date-time":
        return "Instant"
    return _PLAIN.get(str(kind), "unknown")


def _name(schema: str) -> str:
    """Return a schema's name as TypeScript may have it: `Page_Bar_` becomes `PageBar`."""
    return schema.replace("_", "").replace("-", "")


if __name__ == "__main__":
    made = typescript(create_app(GatewaySettings()).openapi())
    FILE.write_text(made)
    sys.stdout.write(f"{FILE}: {made.count('export interface')} interfaces\n")
