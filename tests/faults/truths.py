"""What the log says, found out without any of the projections' code: the read models must say the same.

Raw messages are decoded with fastavro and schemas asked of the registry by plain HTTP, and folded by hand.
"""

import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import fastavro
import httpx
from confluent_kafka import Consumer, KafkaException, TopicPartition
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from contracts.versions import newest
from projections.read_models.bars import BARS
from projections.read_models.revisions import REVISIONS
from projections.read_models.symbols import SYMBOLS
from projections.rebuild import rebuild
from projections.settings import ProjectionSettings
from streaming.settings import StreamSettings
from tests.integration.projecting import assert_reconciled, database
from tests.support.waiting import until

MODELS = (BARS, REVISIONS, SYMBOLS)  # all that bars alone make
_LATER = ("vwap", "trades")  # fields of version 2: where they are null, documents leave them out
_KNOWN = {field["name"] for field in newest(BarClosed).schema["fields"]}  # what later versions add is nobody's yet

_PATIENTLY = Retrying(
    retry=retry_if_exception_type(KafkaException), wait=wait_fixed(0.5), stop=stop_after_delay(30), reraise=True
)

Message = tuple[int, int, bytes | None]  # partition, offset, value


def raw(settings: StreamSettings, topic: str = STOCK_DATA.name) -> list[Message]:
    """Return every message of a topic, in order within a partition."""
    name = settings.physical(topic)
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": f"{name}-truth", "enable.auto.commit": False})
    partitions = list(consumer.list_topics(name, 20).topics[name].partitions)
    for attempt in _PATIENTLY:  # a broker that stood still may have no leaders for a moment
        with attempt:
            ends = {place: consumer.get_watermark_offsets(TopicPartition(name, place), 20)[1] for place in partitions}
    consumer.assign([TopicPartition(name, place, 0) for place in partitions])
    found: list[Message] = []

    def read() -> bool:
        for message in consumer.consume(1000, 0.2):
            assert message.error() is None, message.error()
            found.append((message.partition(), message.offset(), message.value()))
        return len(found) >= sum(ends.values())

    until(read, f"all of {name} was read", period=0)
    consumer.close()
    return sorted(found, key=lambda message: message[:2])


def decoded(settings: ProjectionSettings, messages: list[Message]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield the bars among messages, with where they stand; what is no bar is passed over."""
    for partition, offset, bar in records(settings, messages, BarClosed.__name__):
        if bar["low"] <= min(bar["open"], bar["close"]) <= max(bar["open"], bar["close"]) <= bar["high"]:
            yield partition, offset, bar


def records(settings: StreamSettings, messages: list[Message], name: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield the records of a schema's name among messages, with where they stand."""

    @lru_cache
    def schema(number: int) -> Any:
        answer = httpx.get(f"{settings.registry}/schemas/ids/{number}")
        found = json.loads(answer.json()["schema"]) if answer.status_code == 200 else {}
        return fastavro.parse_schema(found) if found.get("name") == name else None

    for partition, offset, value in messages:
        if not value or value[0] or (writer := schema(int.from_bytes(value[1:5], "big"))) is None:
            continue
        body = io.BytesIO(value[5:])
        try:
            found = fastavro.schemaless_reader(body, writer)
        except EOFError:
            continue
        if not body.read(1):
            yield partition, offset, found


def truth(settings: ProjectionSettings) -> dict[str, dict[str, Any]]:
    """Return the documents of the three read models, by name and id."""
    bars: dict[str, list[tuple[int, int, dict[str, Any]]]] = defaultdict(list)
    revisions, symbols = defaultdict(list), defaultdict(list)
    for message in decoded(settings, raw(settings)):
        bar = message[2]
        name = f"{bar['symbol']}|{bar['interval']}|{bar['closed_at'].isoformat().replace('+00:00', 'Z')}"
        bars[name].append(message)
        revisions[f"{name}|{bar['revision']}"].append(message)
        symbols[bar["symbol"]].append(message)
    return {
        BARS.name: {name: _document(name, group, _newest(group)) for name, group in bars.items()},
        REVISIONS.name: {
            name: _document(name, group, {**_plain(group[0][2]), "position": dict(zip(_PLACE, group[0], strict=False))})
            for name, group in revisions.items()
        },
        SYMBOLS.name: {name: _document(name, group, _symbol(group)) for name, group in symbols.items()},
    }


_PLACE = ("partition", "offset")


def _identity(bar: dict[str, Any]) -> tuple[str, datetime, int]:
    return bar["symbol"], bar["closed_at"], bar["revision"]


def _published(event: BarClosed) -> tuple[str, datetime, int]:
    return event.symbol, event.closed_at, event.revision


def _document(name: str, group: list[Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Add what the log says of a document's own history: how many events made it, and which was the last."""
    last = {str(partition): offset for partition, offset, _ in group}
    return {**fields, "_id": name, "_n": len(group), "_at": {STOCK_DATA.name: last}}


def _plain(bar: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in bar.items() if name in _KNOWN and (value is not None or name not in _LATER)}


def _newest(group: list[Any]) -> dict[str, Any]:
    return _plain(max((bar for _, _, bar in group), key=lambda bar: bar["revision"]))  # the first of equals


def _symbol(group: list[Any]) -> dict[str, Any]:
    told = {(bar["closed_at"], bar["revision"]): bar for _, _, bar in reversed(group)}  # the first report of each
    closed = [at for at, _ in told]
    last = told[max(told)]
    return {
        "symbol": last["symbol"],
        "first_closed_at": min(closed),
        "last_closed_at": max(closed),
        "last_revision": last["revision"],
        "last_close": last["close"],
        "last_recorded_at": max(bar["recorded_at"] for bar in told.values()),
        "bars": len(set(closed)),
        "revisions": sum(revision > 0 for _, revision in told),
    }


def assert_exactly_once(settings: ProjectionSettings, *, dead: int = 0, moved_back: bool = False) -> None:
    """Every event of the log is in the read models, once; the counts add up; a clean run has the same hash.

    Args:
        dead: messages of the log that nobody can read.
        moved_back: checkpoints were, so that messages were read more than once.
    """
    wanted = truth(settings)
    with database(settings) as found:
        for model in MODELS:
            live = {document["_id"]: document for document in found[model.name].find()}
            assert live.keys() == wanted[model.name].keys(), model.name
            for name, fields in wanted[model.name].items():
                assert {field: live[name].get(field) for field in fields} == fields, (model.name, name)
    for model in MODELS:
        rows = [row for row in assert_reconciled(settings, model) if row["topic"] == STOCK_DATA.name]
        assert len(rows) == STOCK_DATA.partitions
        if not moved_back:
            assert [row["read"] for row in rows] == [row["next_offset"] for row in rows]
            assert sum(row["dead"] for row in rows) == dead
        report = rebuild(settings, model.name, verify_only=True, skip_dead=dead > 0)
        assert report.equal, (model.name, report.comparison)
        assert report.dead == dead


def missing(settings: ProjectionSettings, published: Sequence[BarClosed]) -> list[BarClosed]:
    """Return the events that the log does not hold."""
    found = {_identity(bar) for _, _, bar in decoded(settings, raw(settings))}
    return [event for event in published if _published(event) not in found]


def assert_all_arrived(settings: ProjectionSettings, published: list[Any]) -> None:
    """Every event that was acknowledged is in the log, and none of them twice."""
    found = Counter(_identity(bar) for _, _, bar in decoded(settings, raw(settings)))
    wanted = Counter(map(_published, published))
    assert not wanted - found, f"{(wanted - found).total()} of {wanted.total()} are lost"
    assert not found - wanted, f"{(found - wanted).total()} of {wanted.total()} are there twice: {found - wanted}"
