"""What changed between two versions of a schema, what that means for readers and writers, and which rule it breaks.

The rules are Avro's for full compatibility (specification 1.12, schema resolution) and, where Avro would read on with
another meaning, stricter ones of our own: logical types and defaults never change, and a new field is null by default.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NULLABLE = 'make it nullable: "type": ["null", ...], "default": null'
_BESIDE = "leave it as it is and add a nullable field beside it"
_UNDOCUMENTED = ("doc", "aliases", "order")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        path: names of fields joined by dots; the event's own name where it is about the whole record.
        what: what is different.
        meaning: what it means for readers and writers of either version; for a broken rule why it is one.
        rule: the rule that it breaks; empty where it breaks none.
        instead: what to do instead of breaking it.
    """

    path: str
    what: str
    meaning: str
    rule: str = ""
    instead: str = ""


def changes(older: Mapping[str, Any], newer: Mapping[str, Any], old: str = "v1", new: str = "v2") -> list[Change]:
    """Compare two schemas of one event.

    Args:
        old: what to call the older one in words, and `new` the newer one.
    """
    comparison = _Comparison(_named(older), _named(newer), old, new)
    return list(comparison.types(older, newer, str(older["name"])))


@dataclass(frozen=True, slots=True)
class _Comparison:
    old_names: Mapping[str, Any]
    new_names: Mapping[str, Any]
    old: str
    new: str

    def types(self, before: Any, after: Any, path: str) -> Iterator[Change]:
        """Compare two types at a path."""
        if before == after:
            return  # named types that they refer to are compared where they are defined
        one, other = _resolved(before, self.old_names), _resolved(after, self.new_names)
        if _kind(one) != _kind(other):
            yield self._another_type(before, after, path)
        elif isinstance(one, list):
            for branch, counterpart in zip(one, other, strict=True):
                yield from self.types(branch, counterpart, path)
        else:
            yield from self._same_kind(one, other, path)

    def _same_kind(self, before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Change]:
        if before.get("logicalType") != after.get("logicalType"):
            yield Change(
                path,
                f"logical type {before.get('logicalType')} became {after.get('logicalType')}",
                "the bytes stay readable, and would mean something else",
                "a logical type never changes",
                _BESIDE,
            )
        if "name" in before and _full_name(before) != _full_name(after):
            yield Change(
                path,
                f"{before['type']} {_full_name(before)} became {_full_name(after)}",
                f"{self.new} does not know what {self.old} wrote, nor the other way round",
                "a named type keeps its name",
                "keep the name, or make a new event on a topic of its own",
            )
        if before["type"] == "record":
            yield from self._fields(before, after, path)
        elif before["type"] == "enum":
            yield from self._symbols(before, after, path)
        elif before["type"] == "fixed" and before["size"] != after["size"]:
            yield Change(path, f"size {before['size']} became {after['size']}", "", "a fixed keeps its size", _BESIDE)
        for inner in ("items", "values"):
            if inner in before:
                yield from self.types(before[inner], after[inner], path)

    def _fields(self, before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Change]:
        one, other = ({field["name"]: field for field in schema["fields"]} for schema in (before, after))
        root = "" if path == before["name"] else f"{path}."
        for name in [name for name in one if name not in other]:
            yield self._removed(one[name], root + name)
        for name, field in other.items():
            if name not in one:
                yield self._added(field, root + name)
                continue
            yield from self.types(one[name]["type"], field["type"], root + name)
            if one[name].get("default", ...) != field.get("default", ...):
                yield self._another_default(one[name], field, root + name)
            if any(one[name].get(key) != field.get(key) for key in _UNDOCUMENTED):
                yield Change(root + name, "documentation", "nothing: readers and writers do not see it")

    def _added(self, field: Mapping[str, Any], path: str) -> Change:
        what = f"added, {show_type(field['type'])}{_default(field)}"
        if "default" not in field:
            return Change(
                path,
                what,
                f"{self.new} cannot read what {self.old} wrote: nothing stands there and nothing is assumed",
                "a new field needs a default",
                _NULLABLE,
            )
        if field["default"] is not None or not isinstance(field["type"], list) or field["type"][0] != "null":
            never = (
                f"{self.old} never said {json.dumps(field['default'])}, and documents made of its events would change"
            )
            return Change(
                path,
                what,
                never if field["default"] is not None else f"null is no {show_type(field['type'])}",
                "a new field is null where an older writer says nothing of it",
                _NULLABLE,
            )
        return Change(
            path,
            what,
            f"{self.new} reads null in what {self.old} wrote; {self.old} passes over it in what {self.new} writes",
        )

    def _removed(self, field: Mapping[str, Any], path: str) -> Change:
        what = f"removed, {show_type(field['type'])}{_default(field)}"
        if "default" in field:
            meaning = (
                f"{self.old} reads {json.dumps(field['default'])} in what {self.new} writes; "
                f"{self.new} passes over it in what {self.old} wrote"
            )
            return Change(path, what, meaning)
        return Change(
            path,
            what,
            f"{self.old} cannot read what {self.new} writes: it needs a default for what is not there, and has none",
            "a field without a default stays for ever; a rename is a removal",
            "keep it and go on writing it; a better field may stand beside it, nullable with default null",
        )

    def _another_default(self, before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Change:
        return Change(
            path,
            f"default {_shown_default(before)} became {_shown_default(after)}",
            f"{self.old} and {self.new} would read the same bytes differently",
            "a default never changes",
            _BESIDE,
        )

    def _another_type(self, before: Any, after: Any, path: str) -> Change:
        return Change(
            path,
            f"type {show_type(before)} became {show_type(after)}",
            f"what one of {self.old} and {self.new} writes, the other cannot always read",
            "a type may not change, not even to a wider one or to nullable",
            _BESIDE,
        )

    def _symbols(self, before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Change]:
        if before.get("default") != after.get("default"):
            yield self._another_default(before, after, path)
        gone = [symbol for symbol in before["symbols"] if symbol not in after["symbols"]]
        if gone:
            yield Change(
                path,
                f"symbol {', '.join(gone)} removed",
                f"{self.new} does not know what {self.old} wrote, and would lose what it says",
                "a symbol stays for ever, even where the enum has a default",
                "keep it, and no longer write it",
            )
        news = [symbol for symbol in after["symbols"] if symbol not in before["symbols"]]
        if news and "default" in before:
            what = f"symbol {', '.join(news)} added"
            yield Change(path, what, f"{self.old} reads {before['default']} where {self.new} wrote it")
        elif news:
            yield Change(
                path,
                f"symbol {', '.join(news)} added",
                f"{self.old} does not know what {self.new} wrote, and the enum has no default to read instead",
                "the symbols of an enum without a default never change",
                "add a nullable field beside it with an enum that has a default",
            )


def show_type(schema: Any) -> str:
    """Return a type in short: `null | double`, `list of ForecastStep`, `long (timestamp-micros)`."""
    if isinstance(schema, list):
        return " | ".join(map(show_type, schema))
    if not isinstance(schema, dict):
        return str(schema)
    if schema["type"] == "array":
        return f"list of {show_type(schema['items'])}"
    if schema["type"] == "map":
        return f"map of {show_type(schema['values'])}"
    logical = f" ({schema['logicalType']})" if "logicalType" in schema else ""
    return f"{schema.get('name') or schema['type']}{logical}"


def _named(schema: Any) -> dict[str, Any]:
    """Return all named types of a schema, by short name."""
    if isinstance(schema, list):
        return {name: found for branch in schema for name, found in _named(branch).items()}
    if not isinstance(schema, dict):
        return {}
    inner = [schema.get("items"), schema.get("values"), *(field["type"] for field in schema.get("fields", ()))]
    own = {schema["name"]: schema} if "name" in schema else {}
    return own | {name: found for part in inner for name, found in _named(part).items()}


def _resolved(schema: Any, names: Mapping[str, Any]) -> Any:
    """Return a type as an object, or a union as a list of them, with names in place of their definitions resolved."""
    if isinstance(schema, list):
        return [_resolved(branch, names) for branch in schema]
    if isinstance(schema, str):
        return names.get(schema.rsplit(".", 1)[-1], {"type": schema})
    return schema


def _kind(resolved: Any) -> Any:
    """Return what must be the same for two types to be compared further."""
    return [_kind(branch) for branch in resolved] if isinstance(resolved, list) else resolved["type"]


def _full_name(schema: Mapping[str, Any]) -> str:
    return ".".join(filter(None, (schema.get("namespace"), schema["name"])))


def _default(field: Mapping[str, Any]) -> str:
    return f", default {json.dumps(field['default'])}" if "default" in field else ", without default"


def _shown_default(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema["default"]) if "default" in schema else "none"
