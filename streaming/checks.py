"""Check the repository's schemas against a live registry."""

import json
from dataclasses import dataclass, field

from contracts.tools.compatibility import incompatibilities
from contracts.topics import TOPICS, Topic
from contracts.versions import SchemaVersion, versions
from streaming.errors import KafkaAway
from streaming.registry import Registry
from streaming.restoring import SchemaProgress, lost_schemas, uses
from streaming.settings import StreamSettings


@dataclass(slots=True)
class Findings:
    """Where the registry and the repository disagree, and what is merely not registered yet; in words."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_registry(settings: StreamSettings, progress: SchemaProgress = lambda *_: None) -> Findings:
    """Compare all schemas with a registry, and the registry with the ids that the messages of the log have.

    Raises:
        RegistryAway: it does not answer.
    """
    registry = Registry(settings)
    found = Findings()
    for topic in TOPICS:
        held = registry.versions(topic)
        for version in versions(topic.event):
            if any(json.loads(text) == version.schema for text in held):
                continue
            if problems := check_against(registry, topic, version):
                found.problems += problems
            else:
                found.notes.append(
                    f"{registry.subject(topic)}: v{version.version} is not registered yet; "
                    "`foretick contracts register` does it, and so does every `foretick up`"
                )
        found.problems += _strangers(registry, topic, held)
    try:
        found.problems += [
            f"{each}.\n  Instead: `foretick contracts restore` gives it back with the ids that the log uses"
            for each in lost_schemas(settings, uses(settings, progress))
        ]
    except KafkaAway as away:
        found.notes.append(f"the ids that the log uses were not compared: {away}")
    return found


def check_against(registry: Registry, topic: Topic, candidate: SchemaVersion) -> list[str]:
    """Compare one schema with all that a registry holds for its topic, by our rules and by the registry's own."""
    held = [
        SchemaVersion(candidate.event, number, text) for number, text in enumerate(registry.versions(topic), start=1)
    ]
    if any(version.schema == candidate.schema for version in held):
        return []  # registered already
    found = [
        f"{registry.subject(topic)} (v{candidate.version} is ours, the other is the registry's): {item}"
        for version in held
        for item in incompatibilities([version, candidate])
    ]
    if not registry.accepts(topic, candidate):
        found.append(f"{registry.subject(topic)}: the registry at {registry.url} refuses v{candidate.version}")
    return found


def _strangers(registry: Registry, topic: Topic, held: list[str]) -> list[str]:
    """Name what is registered and is none of ours: messages may be written with it."""
    ours = [version.schema for version in versions(topic.event)]
    return [
        f"{registry.subject(topic)}: version {number} of the registry at {registry.url} is in no file of "
        f"contracts/schemas/{topic.event.__name__}: a released file was changed, or another program registered it. "
        "Restore the file, or take the version up as one of ours"
        for number, text in enumerate(held, start=1)
        if json.loads(text) not in ours
    ]
