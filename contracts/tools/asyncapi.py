"""The wire contract as an AsyncAPI 3 document, made from the schemas and the table of topics.

It is told from this system's side: it sends on these channels, and whoever likes may receive.
"""

import json
from importlib.metadata import version
from typing import Any

from contracts.goldens import readable_versions
from contracts.samples import sample
from contracts.topics import TOPICS, Topic
from contracts.versions import newest

AVRO = "application/vnd.apache.avro+json;version=1.9.0"
_KAFKA_BINDING = "0.5.0"
_TEXT = {"type": "string"}

KAFKA_HEADERS: dict[str, str] = {
    "ce_specversion": "Version of CloudEvents: 1.0.",
    "ce_id": "The event's id: a UUIDv5 of what makes the event itself, so the same fact twice has the same id.",
    "ce_source": "Who wrote it, such as /foretick/producers.",
    "ce_type": "foretick. and the event's name.",
    "ce_time": "When, by the market's clock, RFC 3339. The message's own timestamp is the publishing machine's clock.",
    "ce_subject": "The key.",
    "content-type": "application/avro",
    "traceparent": "W3C trace context.",
}
SOMETIMES = {
    "ce_causationid": "ce_id of the event that caused this one, if one did.",
    "ce_sequence": "How many events stand before it in its partition: of bars and corporate actions.",
}
DEAD = {
    "foretick_topic": "Where the message stood.",
    "foretick_partition": "Its partition.",
    "foretick_offset": "Its offset.",
    "foretick_error": "Why nobody could read it.",
    "foretick_schema_id": "The schema id in its bytes; empty where there was none.",
}

_ABOUT = """\
Foretick is an event-sourced market forecasting system: the topics are its truth, kept for ever.

A value is in Confluent's wire format: a byte 0, the schema's id in the registry as 4 bytes (big-endian), the Avro body.
The subject of a topic's schema is `<topic>-value`. The payloads here are the newest versions; older ones stay on the
topics, and every version reads what every other one wrote (FULL_TRANSITIVE). Addresses are those of a local stack.
"""


def topics_asyncapi() -> dict[str, Any]:
    """Return the document as plain JSON values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Foretick",
            "version": version("foretick"),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": "events", "description": "Avro events in Kafka."}],
        },
        "servers": {
            "kafka": {
                "host": "127.0.0.1:9092",
                "protocol": "kafka",
                "description": "The log.",
                "bindings": {
                    "kafka": {
                        "schemaRegistryUrl": "http://127.0.0.1:8081/apis/ccompat/v7",
                        "schemaRegistryVendor": "confluent",
                        "bindingVersion": _KAFKA_BINDING,
                    }
                },
            }
        },
        "channels": {name: channel for topic in TOPICS for name, channel in _channels(topic)},
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic)},
        "components": {
            "messages": {topic.event.__name__: _message(topic) for topic in TOPICS} | {"DeadLetter": _dead_letter()},
            "schemas": {
                "Headers": _headers(KAFKA_HEADERS, SOMETIMES),
                "DeadLetterHeaders": _headers(DEAD, dict.fromkeys(KAFKA_HEADERS, "As it came.")),
            },
        },
    }


def _channels(topic: Topic) -> list[tuple[str, dict[str, Any]]]:
    event = topic.event.__name__
    about = f"{event}, keyed by {topic.key}, written by {topic.writer}; events of one key keep their order."
    return [
        (topic.name, _channel(topic.name, event, topic.partitions, about)),
        (topic.dlq, _channel(topic.dlq, "DeadLetter", 1, f"What nobody could read of {topic.name}, as it came.")),
    ]


def _channel(name: str, message: str, partitions: int, about: str) -> dict[str, Any]:
    return {
        "address": name,
        "description": about,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": name,
                "partitions": partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1},
                "bindingVersion": _KAFKA_BINDING,
            }
        },
    }


def _operations(topic: Topic) -> list[tuple[str, dict[str, Any]]]:
    event = topic.event.__name__
    return [
        (f"send{event}", _send(topic.name, event, f"{topic.writer}: {_schema(topic)['doc']}")),
        (f"bury{event}", _send(topic.dlq, "DeadLetter", f"Whoever could not read a message of {topic.name}.")),
    ]


def _send(channel: str, message: str, summary: str) -> dict[str, Any]:
    address = "#/channels/" + channel
    return {
        "action": "send",
        "channel": {"$ref": address},
        "summary": summary,
        "messages": [{"$ref": f"{address}/messages/{message}"}],
    }


def _message(topic: Topic) -> dict[str, Any]:
    event = topic.event.__name__
    return {
        "name": f"foretick.{event}",
        "title": event,
        "summary": _schema(topic)["doc"],
        "description": f"Version {newest(topic.event).version}, subject {topic.subject}.",
        "contentType": "application/avro",
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"schemaFormat": AVRO, "schema": _schema(topic)},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"{topic.key}, UTF-8"},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "schemaLookupStrategy": "TopicNameStrategy",
                "bindingVersion": _KAFKA_BINDING,
            }
        },
        "examples": [{"name": "sample", "payload": readable_versions(sample(topic.event))}],
    }


def _dead_letter() -> dict[str, Any]:
    return {
        "name": "foretick.DeadLetter",
        "title": "Dead letter",
        "summary": "The original bytes under the original key, with where they stood and why nobody could read them.",
        "contentType": "application/octet-stream",
        "headers": {"$ref": "#/components/schemas/DeadLetterHeaders"},
        "payload": {"type": "string", "format": "binary"},
    }


def _headers(required: dict[str, str], optional: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {name: {**_TEXT, "description": about} for name, about in (required | optional).items()},
    }


def _schema(topic: Topic) -> dict[str, Any]:
    return newest(topic.event).schema


def topics_asyncapi_text(made: dict[str, Any]) -> str:
    """Write a document as JSON, for people and for `diff`."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
