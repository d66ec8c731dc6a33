"""Full, transitive compatibility of schema versions, decided offline and explained in words.

Every version must read what every other version wrote, in both directions.  The `avro` package's checker judges by
Avro's own rules (specification 1.12, schema resolution); `contracts.tools.differences` explains, and adds rules of
our own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import SchemaParseException
from avro.schema import make_avsc_object

from contracts.tools.differences import Change, changes
from contracts.versions import SchemaVersion


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """What one version changed against others that it may not change, and what to do instead.

    Attributes:
        version: the later one.
        against: the earlier ones.
    """

    event: str
    version: int
    against: tuple[int, ...]
    change: Change

    def __str__(self) -> str:
        change = self.change
        others = ", ".join(f"v{number}" for number in self.against)
        return (
            f"{self.event} v{self.version} does not go with {others}. Field {change.path}: {change.what}.\n"
            f"  Rule: {change.rule} ({change.meaning}).\n"
            f"  Instead: {change.instead}."
        )


def incompatibilities(history: Iterable[SchemaVersion]) -> list[Incompatibility]:
    """Compare each version with every earlier one, as reader and as writer.

    Raises:
        ValueError: a schema is not valid Avro; the text names event, version and fault.
    """
    parsed = [(version, _parse(version)) for version in history]
    found: dict[tuple[str, int, str, str], Incompatibility] = {}
    for place, (newer, newer_schema) in enumerate(parsed):
        for older, older_schema in parsed[:place]:
            for change in _broken(older, newer) or _judged(older_schema, newer_schema):
                key = (newer.event, newer.version, change.path, change.what)
                known = found.get(key)
                against = (*(known.against if known else ()), older.version)
                found[key] = Incompatibility(newer.event, newer.version, against, known.change if known else change)
    return list(found.values())


def _parse(version: SchemaVersion) -> Any:
    try:
        return make_avsc_object(version.schema)
    except (SchemaParseException, ValueError) as error:
        raise ValueError(f"{version.event} v{version.version} is not a valid Avro schema: {error}") from error


def _broken(older: SchemaVersion, newer: SchemaVersion) -> list[Change]:
    found = changes(older.schema, newer.schema, f"v{older.version}", f"v{newer.version}")
    return [change for change in found if change.rule]


def _judged(older: Any, newer: Any) -> list[Change]:
    """Return what Avro's own checker finds: for what our explanations do not foresee."""
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    results = [checker.get_compatibility(*pair) for pair in ((older, newer), (newer, older))]
    return [
        Change(
            ", ".join(sorted(result.locations)),
            "; ".join(sorted(result.messages)),
            "Avro's schema resolution refuses it",
            "every version reads what every other version wrote",
            "undo this change and add a nullable field, default null, beside what is there",
        )
        for result in results
        if result.compatibility is not SchemaCompatibilityType.compatible
    ]
