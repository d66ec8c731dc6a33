"""What must hold of the schemas in this repository, checked without any server."""

from collections.abc import Iterator

from contracts.goldens import decode_golden, golden_bytes, golden_record, readable_versions, released
from contracts.tools.compatibility import incompatibilities
from contracts.tools.releases import schema_fingerprint
from contracts.topics import TOPICS, Topic
from contracts.versions import SchemaVersion, versions


def check_schemas() -> list[str]:
    """Return what is wrong with the schema versions and golden bytes, in words; empty when all is well."""
    return [*_check_unchanged(), *(problem for topic in TOPICS for problem in _check(topic))]


def _check(topic: Topic) -> Iterator[str]:
    history = versions(topic.event)
    numbers = [version.version for version in history]
    if numbers != list(range(1, len(history) + 1)):
        yield f"{topic.event.__name__}: versions {numbers} are not 1, 2, 3 ... without a gap"
    try:
        yield from map(str, incompatibilities(history))
    except ValueError as invalid:
        yield str(invalid)
        return
    for version in history:
        if version.name in released():
            yield from _check_golden(topic, version)


def _check_golden(topic: Topic, version: SchemaVersion) -> Iterator[str]:
    name = f"{version.event} v{version.version}"
    try:
        body, expected = golden_bytes(topic.event, version.version), golden_record(topic.event, version.version)
    except FileNotFoundError as missing:
        yield f"{name} has lost its golden bytes: restore {missing.filename}"
        return
    try:
        read = readable_versions(decode_golden(topic.event, version, body))
    except Exception as error:  # whatever it is that keeps old bytes from being read: that is what is looked for
        yield (
            f"{name}: the golden bytes can no longer be read as {version.event} ({type(error).__name__}: {error}). "
            "Schema and class must read all that was ever written"
        )
        return
    # Fields that are newer than this golden read as their defaults, which the golden cannot know.
    changed = {field: (value, read.get(field)) for field, value in expected.items() if read.get(field) != value}
    if changed:
        yield f"{name}: the golden bytes no longer read as they did (field: then, now): {changed}"


def _check_unchanged() -> Iterator[str]:
    recorded = released()
    present = [version for topic in TOPICS for version in versions(topic.event)]
    for version in present:
        if version.name not in recorded:
            yield (
                f"contracts/schemas/{version.name} is not released yet: "
                f"`foretick contracts new-version {version.event}` does it, or says what is missing"
            )
        elif recorded[version.name] != schema_fingerprint(version):
            yield (
                f"contracts/schemas/{version.name} was changed in place: bytes written with it are in topics already.\n"
                f"  Rule: a released version never changes.\n"
                f"  Instead: restore it (git checkout), run `foretick contracts new-version {version.event}`, "
                "and put the change into the new file."
            )
    for name in sorted(recorded.keys() - {version.name for version in present}):
        yield f"contracts/schemas/{name} was released and is gone: restore it, its bytes must decode for ever"
