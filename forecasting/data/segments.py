"""The bars of the log as Arrow files, each of a range of offsets: decoded once, read as columns from then on.

A file is named by its offsets and the hash of its bytes, in a folder named by the topic's id and the code that decodes.
Like every saved state it is a shortcut: one that does not fit is thrown away and made again from the log.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import groupby, islice
from pathlib import Path

import pyarrow as pa
import structlog

from contracts.sources import sources_sha256
from contracts.topics import STOCK_DATA
from forecasting.data.columns import SCHEMA, bar_columns
from forecasting.settings import ForecastingSettings
from streaming.ranges import topic_epoch, watermarks
from streaming.reader import read_range
from streaming.records import DeadRecord, Record

log = structlog.get_logger()

LENGTH = 20_000  # offsets of a segment: what is read of the log's end each time is less than one of each partition
_CHUNK = 5_000  # events that are held as such at once
_DECIDING = {
    "contracts": ("events", "parts.py", "upcasters.py"),
    "streaming": ("codec.py", "decoding.py"),
    "forecasting": ("data/columns.py", "data/segments.py"),
}


class Segments:
    """The segments of one home, of the log as it is now.

    Raises:
        KafkaAway, RegistryAway: a server does not answer.
    """

    def __init__(self, settings: ForecastingSettings) -> None:
        self._settings = settings
        folder = settings.home / "state" / f"{settings.topic_prefix}segments"
        self._folder = folder / sha256(f"{_code()}|{topic_epoch(settings, STOCK_DATA)}".encode()).hexdigest()[:16]
        self._folder.mkdir(parents=True, exist_ok=True)
        for other in folder.iterdir():
            if other != self._folder:
                shutil.rmtree(other, ignore_errors=True)
        self._held: dict[tuple[int, int], Path] = {}  # by partition and number
        for path in self._folder.glob("*.arrow"):
            partition, first, *_ = path.stem.split("-")
            self._held[int(partition), int(first) // LENGTH] = path
        self._forget_unfit()

    def read(self, ranges: Mapping[int, tuple[int, int]], dead: list[DeadRecord]) -> pa.Table:
        """Return the bars of ranges of offsets, partition by partition, in the order of the log.

        Args:
            ranges: first offset and next offset of each partition.
            dead: takes what is unreadable, and passed over.

        Raises:
            HistoryGone: the log no longer holds them.
            KafkaAway, RegistryAway, SchemaLost: as the reader.
        """
        found = [SCHEMA.empty_table()]
        for partition, (start, end) in ranges.items():
            at = start
            while at < end and (table := self._load(partition, at // LENGTH)) is not None:
                offsets = table["offset"].to_numpy()
                first, until = offsets.searchsorted([at, end])
                found.append(table.slice(first, until - first))
                at = (at // LENGTH + 1) * LENGTH
            if at < end:
                found += self._decoded(partition, at, end, dead)
        return pa.concat_tables(found)

    def _decoded(self, partition: int, start: int, end: int, dead: list[DeadRecord]) -> Iterator[pa.Table]:
        """Read a range from the log; keep the segments that are whole."""
        records = read_range(
            self._settings, STOCK_DATA, {partition: start}, {partition: end}, on_poison="skip", on_dead=dead.append
        )
        for number, group in groupby(records, lambda record: record.offset // LENGTH):
            tables, last = [], None
            while chunk := list(islice(group, _CHUNK)):
                tables.append(bar_columns(chunk))
                last = chunk[-1]
            table = pa.concat_tables(tables).unify_dictionaries()
            first, until = number * LENGTH, (number + 1) * LENGTH
            broken = any(first <= each.offset < until for each in dead if each.partition == partition)
            if last is not None and start <= first and until <= end and not broken:
                self._save(partition, number, table, last)
            yield table

    def _save(self, partition: int, number: int, table: pa.Table, last: Record) -> None:
        told = {"last": str(last.offset), "last_id": last.event_id}
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema.with_metadata(told)) as file:
            file.write_table(table)
        content = sink.getvalue()
        name = f"{partition}-{number * LENGTH}-{(number + 1) * LENGTH}-{_digest(content)}.arrow"
        partial = self._folder / f"{name}.{os.getpid()}"
        partial.write_bytes(content)
        self._held[partition, number] = partial.replace(self._folder / name)

    def _load(self, partition: int, number: int) -> pa.Table | None:
        """Return a segment; None where there is none, or no sound one any more."""
        path = self._held.get((partition, number))
        if path is None:
            return None
        content = path.read_bytes()
        if not path.stem.endswith(f"-{_digest(content)}"):
            log.warning("a saved segment is not what was written: read again from the log", file=str(path))
            self._forget(partition, number)
            return None
        return pa.ipc.open_file(content).read_all()

    def _forget(self, partition: int, number: int) -> None:
        if path := self._held.pop((partition, number), None):
            path.unlink(missing_ok=True)

    def _forget_unfit(self) -> None:
        """Forget the newest segments of each partition that the log has gone on otherwise since, as a copy may."""
        newest = dict(sorted(self._held))  # the highest number of each partition
        ends = {number: high for number, (_, high) in watermarks(self._settings, STOCK_DATA).items()}
        while newest:
            told = {partition: self._last(partition, number) for partition, number in newest.items()}
            inside = {partition: last for partition, (last, _) in told.items() if 0 <= last < ends.get(partition, 0)}
            after = {partition: last + 1 for partition, last in inside.items()}
            names = {
                record.partition: record.event_id
                for record in read_range(self._settings, STOCK_DATA, inside, after, on_poison="skip")
            }
            unfit = {
                partition: number for partition, number in newest.items() if names.get(partition) != told[partition][1]
            }
            for partition, number in unfit.items():
                log.warning("a saved segment does not fit the log: read again", partition=partition, number=number)
                self._forget(partition, number)
            newest = {partition: number for partition, number in sorted(self._held) if partition in unfit}

    def _last(self, partition: int, number: int) -> tuple[int, str]:
        """Return the last event's offset and id; -1 and nothing of a segment that is not sound."""
        table = self._load(partition, number)
        told = (table.schema.metadata or {}) if table is not None else {}
        return int(told.get(b"last", b"-1")), told.get(b"last_id", b"").decode()


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]


@cache
def _code() -> str:
    """Return the hash of the code that decodes."""
    return sources_sha256({name: files(name) for name in _DECIDING}, _DECIDING)
