"""Publishing: our path from values to acknowledged events, against the raw producer and confluent-kafka's serializer.

    .venv/bin/python benchmarks/bench_publish.py [--quick]

Bars go to `stock-data` of a real broker, acknowledged by all replicas, compressed and idempotent. `ready bytes` is the
raw limit: librdkafka with values, keys and headers that were made before. `values to the log` makes events whose
invariants hold, their ids, headers and bytes. `report to the log` is a backfill: a vendor's bars are judged first. The
rival is confluent-kafka's AvroSerializer beside the same headers.
Events for each second of CPU of the process, librdkafka's threads included; medians of interleaved rounds.
"""

import argparse
import secrets
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from market import bars
from rich.console import Console
from rich.table import Table
from servers import corner, servers
from watch import interleaved, ratio, told

from contracts.events import BarClosed
from contracts.ids import stamp
from contracts.topics import STOCK_DATA
from contracts.versions import newest
from producers.ledger import PRODUCERS_SOURCE
from producers.reports import judge_report
from producers.sources.base import Report, VendorBar
from streaming.codec import Codec
from streaming.headers import headers_for
from streaming.publisher import Publisher
from streaming.settings import StreamSettings

RAW, RIVAL = "librdkafka, ready bytes", "AvroSerializer and Producer"
OURS, WHOLE = "Foretick, values to the log", "Foretick, report to the log"
_NOW = datetime(2026, 1, 2, tzinfo=UTC)
_PRICES = ("open", "high", "low", "close", "volume", "vwap", "trades")


def reported(records: Sequence[dict[str, Any]]) -> list[VendorBar]:
    """Return bars as a vendor would tell them."""
    return [
        VendorBar(
            symbol=record["symbol"],
            interval=record["interval"],
            stamp=record["opened_at"],
            currency=record["currency"],
            exchange="24/7",
            **{name: Decimal(str(round(record[name], 2))) for name in _PRICES},
        )
        for record in records
    ]


def ways(settings: StreamSettings, count: int) -> dict[str, Callable[[], float]]:
    """Return what publishes all bars and tells the events for each second of CPU."""
    records = list(bars(count, revisions=0))
    events = [BarClosed(**record) for record in records]
    codec, topic = Codec(settings), settings.physical(STOCK_DATA.name)
    ready = [
        (codec.encode(event), event.key.encode(), headers_for(event, PRODUCERS_SOURCE, _NOW)) for event in events[:1000]
    ]
    registry = SchemaRegistryClient({"url": settings.registry, "timeout": 10})
    serialize = AvroSerializer(
        registry,
        newest(BarClosed).text,
        lambda event, _: asdict(event),
        conf={"auto.register.schemas": False, "subject.name.strategy.type": "TOPIC"},
    )
    context = SerializationContext(topic, MessageField.VALUE)
    by_symbol: defaultdict[str, list[VendorBar]] = defaultdict(list)
    for bar in reported(records):
        by_symbol[bar.symbol].append(bar)
    reports = list(map(Report, by_symbol.values()))

    def producer() -> Producer:
        return Producer(
            settings.kafka_config(
                enable_idempotence=True,
                acks="all",
                compression_type="gzip",
                linger_ms=5,
                partitioner="murmur2_random",
            )
        )

    def produce(to: Producer, value: bytes | None, key: str | bytes, headers: Any) -> None:
        while True:
            try:
                to.produce(topic, value, key, headers=headers)
                return
            except BufferError:
                to.poll(0.2)

    def raw() -> None:
        to = producer()
        for number in range(count):
            produce(to, *ready[number % len(ready)])
        to.flush()

    def rival() -> None:
        to = producer()
        for record in records:
            event = BarClosed(**record)
            headers = {
                "ce_specversion": "1.0",
                "ce_id": str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(map(str, event.identity)))),
                "ce_source": PRODUCERS_SOURCE,
                "ce_type": "foretick.BarClosed",
                "ce_time": stamp(_NOW),
                "ce_subject": event.symbol,
                "content-type": "application/avro",
                "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
            }
            produce(to, serialize(event, context), event.symbol, headers)
        to.flush()

    def ours() -> None:
        with Publisher(settings, PRODUCERS_SOURCE) as publisher:
            for record in records:
                publisher.publish(BarClosed(**record), time=_NOW)

    def whole() -> None:
        with Publisher(settings, PRODUCERS_SOURCE) as publisher:
            for report in reports:
                sound, _ = judge_report(report, "bench", "24/7", None, _NOW)
                for event in sound.news({}, {})[1]:
                    publisher.publish(event, time=_NOW)

    def measured(publish: Callable[[], None]) -> Callable[[], float]:
        def once() -> float:
            began = time.process_time()
            publish()
            return count / (time.process_time() - began)

        return once

    return {RAW: measured(raw), OURS: measured(ours), WHOLE: measured(whole), RIVAL: measured(rival)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5,000 events a round")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: 5)")
    wish = parser.parse_args()
    count = 5_000 if wish.quick else 50_000
    with servers() as running, corner(running) as settings:
        found = interleaved(ways(settings, count), wish.rounds)
    table = Table("Publishing", "events/s of CPU", "of the raw limit", "of the rival", title=f"{count:,} bars")
    for name, values in found.items():
        table.add_row(name, told(values), f"{ratio(values, found[RAW]):.2f}", f"{ratio(values, found[RIVAL]):.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
