"""Decoding: our codec against confluent-kafka's AvroDeserializer, and against the Avro library alone.

    .venv/bin/python benchmarks/bench_decode.py [--quick]

Messages of `stock-data` as they are on the wire, schemas from a real registry. `to records` gives dictionaries, as
AvroDeserializer does by default; `to events` gives typed events whose invariants hold, which AvroDeserializer makes by
its `from_dict`. The raw limit is `schemaless_reader` in a loop, with no look at magic byte, schema id or length. CPU
seconds of one thread; medians of interleaved rounds, with the least and most.
"""

import argparse
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro import parse_schema, schemaless_reader
from market import Writer, bars
from rich.console import Console
from rich.table import Table
from servers import corner, servers
from watch import interleaved, ratio, told

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from contracts.versions import newest
from projections.settings import ProjectionSettings
from streaming.codec import Codec

RIVAL, TYPED_RIVAL = "AvroDeserializer, to records", "AvroDeserializer, to events"
OURS, TYPED = "Foretick, to records", "Foretick, to events"


def ways(settings: ProjectionSettings, values: list[bytes]) -> dict[str, Callable[[], float]]:
    """Return what decodes all values and tells the messages for each second of CPU."""
    schema = parse_schema(newest(BarClosed).schema)
    codec, registry = Codec(settings), SchemaRegistryClient({"url": settings.registry, "timeout": 10})
    by_topic = {"subject.name.strategy.type": "TOPIC"}  # the default asks for associations, which not all have
    plain = AvroDeserializer(registry, conf=by_topic)
    typed = AvroDeserializer(registry, from_dict=lambda r, _: BarClosed(**r), conf=by_topic)
    context = SerializationContext(settings.physical(STOCK_DATA.name), MessageField.VALUE)

    def raw(value: bytes) -> Any:
        body = BytesIO(value)
        body.seek(5)
        return schemaless_reader(body, schema, None)

    def measured(decode: Callable[[bytes], Any]) -> Callable[[], float]:
        decode(values[0])  # the schema is fetched

        def once() -> float:
            began = time.process_time()
            for value in values:
                decode(value)
            return len(values) / (time.process_time() - began)

        return once

    return {
        "schemaless_reader alone": measured(raw),
        OURS: measured(lambda value: codec.decode_record(STOCK_DATA.name, value)),
        TYPED: measured(lambda value: codec.decode(STOCK_DATA.name, value)),
        RIVAL: measured(lambda value: plain(value, context)),
        TYPED_RIVAL: measured(lambda value: typed(value, context)),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2,000 messages a round")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default: 9)")
    wish = parser.parse_args()
    count = 2_000 if wish.quick else 20_000
    with servers() as running, corner(running) as settings:
        writer = Writer(settings)
        found = interleaved(ways(settings, [writer.value(bar) for bar in bars(count)]), wish.rounds)
    table = Table(title=f"Decoding {count:,} bars; median of {wish.rounds} rounds")
    for column in ("", "messages per CPU s", "of to-records rival", "of to-events rival"):
        table.add_column(column, justify="left" if not column else "right")
    for name, rates in found.items():
        against = (f"{ratio(rates, found[rival]):.2f}" for rival in (RIVAL, TYPED_RIVAL))
        table.add_row(name, told(rates), *against)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
