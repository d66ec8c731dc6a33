"""The schema ids that the log uses: compared with the registry, and given back to one that has lost them.

A registry is derived from two things that are kept elsewhere: the schemas, in this repository, and the numbers that
they have in the messages, in the log.  A message's own bytes tell which version of ours it was written with.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import httpx2

from contracts.topics import TOPICS, Topic
from contracts.versions import SchemaVersion, versions
from streaming.codec import Codec, Poison, schema_id_of
from streaming.errors import RegistryAway
from streaming.ranges import messages, watermarks
from streaming.registry import Registry, SchemaUnknown
from streaming.settings import StreamSettings

SchemaProgress = Callable[[str, int, int], None]  # topic, messages read, messages in all
_SAMPLES = 8


class RestoreRefused(Exception):
    """The registry cannot be given the ids that the log uses; the text says why and what to do."""


_PRESERVED = {f"X-Registry-Preserve-{each}Id": "true" for each in ("Global", "Content")}


@dataclass(slots=True)
class Use:
    """The messages of a topic that have one schema id.

    Args:
        first: partition and offset of one of them.
        samples: bytes of some of them.
    """

    topic: Topic
    schema_id: int
    first: tuple[int, int]
    count: int = 0
    samples: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lost:
    """A schema that messages were written with, and that the registry does not give for their id.

    Args:
        holds: what it says instead.
    """

    use: Use
    version: SchemaVersion
    holds: str

    def __str__(self) -> str:
        use, version = self.use, self.version
        return (
            f"{use.topic.name}: {use.count} messages from [{use.first[0]}]@{use.first[1]} on were written as "
            f"{version.event} v{version.version} with schema id {use.schema_id}, and the registry has lost that: "
            f"{self.holds}"
        )


def uses(settings: StreamSettings, progress: SchemaProgress = lambda *_: None) -> list[Use]:
    """Read the whole log and return which schema ids its messages have.

    Raises:
        KafkaAway: the broker does not answer.
    """
    found: dict[tuple[str, int], Use] = {}
    for topic in TOPICS:
        marks = watermarks(settings, topic)
        start = {partition: low for partition, (low, _) in marks.items()}
        end = {partition: high for partition, (_, high) in marks.items()}
        total = sum(high - low for low, high in marks.values())
        for count, (partition, offset, message) in enumerate(messages(settings, topic, start, end), start=1):
            if count % 1000 == 0:
                progress(topic.name, count, total)
            value = message.value()
            schema_id = schema_id_of(value)
            if value is None or schema_id is None:
                continue
            use = found.setdefault((topic.name, schema_id), Use(topic, schema_id, (partition, offset)))
            if use.count < _SAMPLES or use.count.bit_count() == 1:  # the first few, then ever fewer
                use.samples.append(value)
            use.count += 1
    return list(found.values())


def lost_schemas(settings: StreamSettings, found: Iterable[Use]) -> list[Lost]:
    """Return what the registry cannot read any more, though it was written with a schema of ours.

    Raises:
        RegistryAway: the registry does not answer.
    """
    codec = Codec(settings)
    return [lost for use in found if (lost := _lost(codec, use))]


def _lost(codec: Codec, use: Use) -> Lost | None:
    told = ""
    for value in use.samples:
        try:
            codec.decode(use.topic.name, value)
        except Poison as poison:
            told = told or str(poison)
        else:
            return None
    written = (codec.written_as(use.topic.name, value) for value in use.samples)
    version = next(filter(None, written), None)
    return Lost(use, version, told) if version else None


def forgotten_topics(settings: StreamSettings) -> list[str]:
    """Return the topics that hold messages while the registry has no schema of them at all.

    Raises:
        KafkaAway, RegistryAway: a server does not answer.
    """
    registry = Registry(settings)
    empty = [topic for topic in TOPICS if not registry.knows(topic)]
    return [topic.name for topic in empty if any(high for _, high in watermarks(settings, topic).values())]


def restore_registry(settings: StreamSettings, progress: SchemaProgress = lambda *_: None) -> list[Lost]:
    """Give the registry the schemas that it has lost, under the ids that the log uses; return them.

    Raises:
        RestoreRefused: it holds something else under one of these ids, or takes no ids.
        KafkaAway, RegistryAway: a server does not answer.
    """
    lost = lost_schemas(settings, uses(settings, progress))
    if lost:
        _refuse_taken(settings, lost)
        texts = _texts(settings, lost)
        _give(settings, texts)
        own = {each.version.text for each in lost}
        for schema_id, text in texts.items():
            if text not in own:
                Registry(settings).keep(schema_id, text)
    register_all(settings)
    if still := lost_schemas(settings, [each.use for each in lost]):
        raise RestoreRefused(f"the registry at {settings.registry} did not keep the ids that it was given: {still[0]}")
    return lost


def register_all(settings: StreamSettings) -> dict[str, int]:
    """Register every version, oldest first, whatever the log holds; return the newest ids by subject."""
    registry = Registry(settings)
    return {
        registry.subject(topic): registry.register(topic, each) for topic in TOPICS for each in versions(topic.event)
    }


def _refuse_taken(settings: StreamSettings, lost: Sequence[Lost]) -> None:
    registry = Registry(settings)
    for each in lost:
        try:
            registry.schema_text(each.use.schema_id)
        except SchemaUnknown:
            continue
        raise RestoreRefused(
            f"{each}. The registry at {settings.registry} uses the id for another schema, so it cannot be given back: "
            "stop everything, empty the registry's storage (data/registry of the home, if it is ours), start it, and "
            "restore again before anything else registers a schema"
        )


def _texts(settings: StreamSettings, lost: Sequence[Lost]) -> dict[int, str]:
    """Return the schema text of each id.

    A registry tells texts apart by their bytes and has one id for each: where a version has another id already, as
    after it was registered again, the id stands behind its text, in blanks.
    """
    registry = Registry(settings)
    texts: dict[int, str] = {}
    for each in lost:
        text = each.version.text
        if text in texts.values() or registry.has(each.use.topic, each.version):
            text += "".join(" \t"[int(bit)] for bit in f"{each.use.schema_id:b}")
        texts[each.use.schema_id] = text
    return texts


def _give(settings: StreamSettings, texts: dict[int, str]) -> None:
    """Import schemas with their ids into Apicurio Registry, as its own export writes them."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as folder:
        manifest = {"systemVersion": "3.0.0", "systemName": "foretick", "exportVersion": "3.0"}
        folder.writestr("manifest-foretick.Manifest.json", json.dumps(manifest))
        for schema_id, text in texts.items():
            digest = hashlib.sha256(text.encode()).hexdigest()
            entry = {
                "contentId": schema_id,
                "canonicalHash": digest,
                "contentHash": digest,
                "artifactType": "AVRO",
                "contentType": "application/json",
            }
            folder.writestr(f"content/{digest}.Content.json", json.dumps(entry))
            folder.writestr(f"content/{digest}.Content.data", text)
    import_archive(settings, archive.getvalue(), f"Those that the log uses: {', '.join(map(str, texts))}")


def import_archive(settings: StreamSettings, archive: bytes, content: str = "") -> None:
    """Give Apicurio Registry what one of its exports holds, with the ids of it.

    Raises:
        RestoreRefused: it takes no such thing; the text says so, and `content`.
        RegistryAway: it does not answer.
    """
    base = settings.registry.split("/apis/")[0]
    login = settings.registry_auth.get_secret_value().partition(":") if settings.registry_auth else None
    try:
        answer = httpx2.post(
            f"{base}/apis/registry/v3/admin/import",
            params={"requireEmptyRegistry": "false"},
            headers={"Content-Type": "application/zip", **_PRESERVED},
            content=archive,
            auth=(login[0], login[2]) if login else None,
            timeout=60,
        )
    except httpx2.HTTPError as error:
        raise RegistryAway(f"the registry at {settings.registry} does not answer: {error}") from error
    if answer.is_error:
        raise RestoreRefused(
            f"the registry at {base} takes no schemas with ids (it answers {answer.status_code}): restore it from its "
            f"own backup. {content}"
        )
