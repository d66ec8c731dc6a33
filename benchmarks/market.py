"""A made-up market, published fast: minute bars of many symbols, a few of them much busier than the rest."""

import random
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import accumulate
from typing import Any

from confluent_kafka import Producer
from fastavro import parse_schema, schemaless_writer

from contracts.events import BarClosed
from contracts.ids import stamp
from contracts.topics import STOCK_DATA
from contracts.versions import newest
from streaming.registry import Registry
from streaming.settings import StreamSettings

SYMBOLS = 500
REVISIONS = 0.01  # share of bars that correct an earlier one of the same symbol
_START = datetime(2012, 1, 3, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_BEFORE = 500  # how far back a correction reaches, in bars of its symbol


def bars(
    count: int, *, revisions: float = REVISIONS, revision: int = 0, seed: int = 7, after: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield records of `BarClosed`: symbols by Zipf's law, each symbol minute after minute.

    Args:
        revision: of the bars that correct nothing: the same seed gives the same bars again, with this revision.
        after: minutes of every symbol that came before, under other seeds.
    """
    chance = random.Random(seed)
    names = [f"S{number:03d}" for number in range(SYMBOLS)]
    weights = list(accumulate(1 / (rank + 1) for rank in range(SYMBOLS)))
    minutes = dict.fromkeys(names, after)
    for symbol in chance.choices(names, cum_weights=weights, k=count):
        corrects = minutes[symbol] > after and chance.random() < revisions
        if corrects:
            minute, number = chance.randrange(max(after, minutes[symbol] - _BEFORE), minutes[symbol]), 1
        else:
            minutes[symbol] = minute = minutes[symbol] + 1
            number = revision
        closed_at = _START + minute * _MINUTE
        close = 100 + chance.random()
        yield {
            "symbol": symbol,
            "exchange": "XNAS",
            "interval": "PT1M",
            "opened_at": closed_at - _MINUTE,
            "closed_at": closed_at,
            "open": 100.5,
            "high": 101.5,
            "low": 99.5,
            "close": close,
            "volume": 12000.0,
            "currency": "USD",
            "source": "bench",
            "revision": number,
            "recorded_at": closed_at + number * _MINUTE,
            "payload_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "vwap": 100.6,
            "trades": 84,
        }


class Writer:
    """Puts records onto `stock-data` as the publisher does: the same bytes, keys, headers and partitions."""

    def __init__(self, settings: StreamSettings) -> None:
        version = newest(BarClosed)
        self._schema = parse_schema(version.schema)
        self._head = b"\x00" + Registry(settings).id_of(STOCK_DATA, version).to_bytes(4, "big")
        self._topic = settings.physical(STOCK_DATA.name)
        self._trace = secrets.token_hex(16)
        self._producer = Producer(
            settings.kafka_config(
                acks="all",
                compression_type="gzip",
                linger_ms=5,
                partitioner="murmur2_random",
                queue_buffering_max_messages=200_000,
            )
        )

    def value(self, record: dict[str, Any]) -> bytes:
        """Return a message value."""
        out = BytesIO()
        out.write(self._head)
        schemaless_writer(out, self._schema, record)
        return out.getvalue()

    def send(self, record: dict[str, Any]) -> None:
        """Queue a record."""
        headers = {
            "ce_specversion": "1.0",
            "ce_id": f"00000000-0000-5000-8000-{random.getrandbits(48):012x}",
            "ce_source": "/foretick/producers",
            "ce_type": "foretick.BarClosed",
            "ce_time": stamp(record["recorded_at"]),
            "ce_subject": record["symbol"],
            "content-type": "application/avro",
            "traceparent": f"00-{self._trace}-{random.getrandbits(64):016x}-01",
        }
        while True:
            try:
                self._producer.produce(self._topic, self.value(record), record["symbol"], headers=headers)
                return
            except BufferError:
                self._producer.poll(0.2)

    def flush(self) -> None:
        """Wait until all of it is acknowledged."""
        if left := self._producer.flush(120):
            raise RuntimeError(f"Kafka did not acknowledge {left} messages")


def publish(settings: StreamSettings, count: int, **how: Any) -> None:
    """Publish `count` bars; see `bars` for the rest."""
    writer = Writer(settings)
    for record in bars(count, **how):
        writer.send(record)
    writer.flush()
