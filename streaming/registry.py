"""The schema registry: look schemas up, register them on purpose, tell its absence from a bad id."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from contracts.topics import Topic
from contracts.versions import SchemaVersion
from streaming.errors import RegistryAway
from streaming.settings import StreamSettings

COMPATIBILITY = "FULL_TRANSITIVE"


class SchemaLost(RegistryAway):
    """The log holds events of ours whose schema the registry has not, or not any more: nothing of them can be read."""


class SchemaUnknown(Exception):
    """The registry answers and has no such schema."""


class SchemaRefused(Exception):
    """The registry refuses a schema as incompatible."""


class Registry:
    """A schema registry that speaks Confluent's API."""

    def __init__(self, settings: StreamSettings) -> None:
        config: dict[str, object] = {"url": settings.registry, "max.retries": 0, "timeout": 10}
        if settings.registry_auth:
            config["basic.auth.user.info"] = settings.registry_auth.get_secret_value()
        self._client = SchemaRegistryClient(config)
        self._prefix = settings.topic_prefix
        self.url = settings.registry

    def subject(self, topic: Topic) -> str:
        """Return the registry subject of a topic."""
        return self._prefix + topic.subject

    def schema_text(self, schema_id: int) -> str:
        """Return the schema of an id.

        Raises:
            SchemaUnknown: no such id.
            RegistryAway: no answer.
        """
        with self._answering():
            return str(self._client.get_schema(schema_id).schema_str)

    def id_of(self, topic: Topic, version: SchemaVersion) -> int:
        """Return the id under which a schema version is registered for a topic.

        Raises:
            SchemaUnknown: it is not registered.
            RegistryAway: no answer.
        """
        with self._answering():
            found = self._client.lookup_schema(self.subject(topic), Schema(version.text, "AVRO"))
            assert found.schema_id is not None
            return found.schema_id

    def has(self, topic: Topic, version: SchemaVersion) -> bool:
        """Tell whether a schema version is registered for a topic."""
        try:
            self.id_of(topic, version)
        except SchemaUnknown:
            return False
        return True

    def knows(self, topic: Topic) -> bool:
        """Tell whether any schema is registered for a topic."""
        return bool(self._numbers(topic))

    def versions(self, topic: Topic) -> list[str]:
        """Return the schemas registered for a topic, oldest first; none for a new topic."""
        numbers = self._numbers(topic)
        with self._answering():
            return [str(self._client.get_version(self.subject(topic), number).schema.schema_str) for number in numbers]

    def level(self, topic: Topic) -> str:
        """Return the compatibility level set on a topic's own subject."""
        with self._answering():
            return str(self._client.get_compatibility(self.subject(topic)))

    def accepts(self, topic: Topic, version: SchemaVersion) -> bool:
        """Tell whether the registry finds a schema compatible with all that it has for a topic, one by one.

        Not every registry takes the question of all at once.
        """
        ours, numbers = Schema(version.text, "AVRO"), self._numbers(topic)
        with self._answering():
            return all(self._client.test_compatibility(self.subject(topic), ours, number) for number in numbers)

    def register(self, topic: Topic, version: SchemaVersion) -> int:
        """Register a schema version and set the subject's level; doing it again changes nothing.

        Raises:
            SchemaRefused: it is incompatible with what is registered.
            RegistryAway: no answer.
        """
        with self._answering():
            self._client.set_compatibility(self.subject(topic), COMPATIBILITY)
            try:
                return int(self._client.register_schema(self.subject(topic), Schema(version.text, "AVRO")))
            except SchemaRegistryError as error:
                if error.http_status_code in (409, 422):
                    raise SchemaRefused(
                        f"the registry at {self.url} refuses {version.event} v{version.version} for "
                        f"{self.subject(topic)}: {error.error_message}. `foretick contracts check` says which field."
                    ) from error
                raise

    def _numbers(self, topic: Topic) -> list[int]:
        with self._answering():
            try:
                return list(self._client.get_versions(self.subject(topic)))
            except SchemaRegistryError as error:
                if error.http_status_code == 404:
                    return []
                raise

    def keep(self, schema_id: int, text: str) -> None:
        """Give a schema that was imported a subject of its own: the registry answers for an id only if one has it."""
        with self._answering():
            self._client.register_schema(f"{self._prefix}schema-{schema_id}", Schema(text, "AVRO"))

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except SchemaRegistryError as error:
            if error.http_status_code == 404:
                raise SchemaUnknown(error.error_message) from error
            raise RegistryAway(f"the registry at {self.url} answers {error}") from error
        except (httpx2.HTTPError, OSError) as error:
            raise RegistryAway(f"the registry at {self.url} does not answer: {error}") from error
