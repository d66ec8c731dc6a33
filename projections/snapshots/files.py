"""Write snapshots: staged, flushed to the disk, renamed; the manifest comes last.

A snapshot in a folder that has an earlier one writes anew only what changed since: the log tells which bars.
"""

import fcntl
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from contracts.events import BarClosed
from contracts.topics import STOCK_DATA
from projections.checkpoints import vector
from projections.folds import Document
from projections.mongo import Store
from projections.read_models.revisions import REVISIONS
from projections.settings import ProjectionSettings
from projections.snapshots.content import (
    MANIFEST,
    NEWEST,
    SNAPSHOT_FORMAT,
    UNDIVIDED,
    SnapshotFile,
    SnapshotManifest,
    bars_at,
    by_period,
    columns_of,
    csv_bytes,
    file_name,
    file_period,
    manifest_bytes,
    manifest_of,
    names_of,
    read_manifest,
)
from projections.snapshots.parquet import parquet_bytes
from projections.snapshots.verification import LOCK, as_told, locked, written
from streaming.catching_up import KafkaLog, ReadableLog
from streaming.damage import LogUnsound

_TRIES = 5


class NotThere(Exception):
    """A snapshot is asked for at a position that the read model has not reached, or of which nothing is known."""


class FileKey(NamedTuple):
    """The bars that share a file."""

    symbol: str
    interval: str
    period: str


def snapshot(
    settings: ProjectionSettings,
    out: Path | None = None,
    position: Mapping[int, int] | None = None,
    schema_version: int = NEWEST,
) -> SnapshotManifest:
    """Write the bars of each symbol, interval and period as CSV and Parquet, and `manifest.json`; return the manifest.

    Args:
        out: the folder; None: the settings' own.
        position: next offset of each partition of `stock-data`; None: as far as the read model has come.
        schema_version: of `BarClosed`, whose fields are the columns: that of an older snapshot gives its bytes again.

    Raises:
        NotThere: the read model has not come that far, or holds nothing yet.
        ValueError: there is no such version.
        ServerAway: MongoDB or Kafka is away.
    """
    store = Store(settings)
    try:
        where = out or settings.snapshot_folder
        return write_snapshot(store, KafkaLog(settings), where, position, schema_version, stays=as_told)
    finally:
        store.close()


def write_snapshot(
    store: Store,
    log: ReadableLog,
    out: Path,
    position: Mapping[int, int] | None = None,
    schema_version: int = NEWEST,
    *,
    stays: Callable[[Path, SnapshotFile], bool],
) -> SnapshotManifest:
    """Write a snapshot from an open store; arguments and errors as of `snapshot`.

    Args:
        log: which bars changed since an earlier snapshot in the folder.
        stays: tells whether a file of that one is still what its manifest says.
    """
    for _ in range(_TRIES):
        generation = store.generation(REVISIONS.name)["generation"]
        epoch, reached = _reached(store)
        wanted = dict(reached if position is None else position)
        if behind := [partition for partition, offset in wanted.items() if offset > reached.get(partition, 0)]:
            raise NotThere(f"{REVISIONS.name} stands at {reached}, before {wanted} in partitions {behind}")
        out.mkdir(parents=True, exist_ok=True)
        with locked(out, fcntl.LOCK_EX):
            earlier = _earlier(out, epoch, wanted, schema_version, generation)
            changed = _changed(log, earlier, wanted) if earlier else None
            kept = []
            if earlier and changed is not None:
                kept = [file for file in earlier.files if _key(file) not in changed and stays(out, file)]
                changed |= {_key(file) for file in earlier.files} - {_key(file) for file in kept}
            manifest = stage(store, out, epoch, wanted, schema_version, only=changed, kept=kept)
            if store.generation(REVISIONS.name)["generation"] != generation:
                continue  # a rebuild took over while the documents were read
            _publish(out, manifest, generation)
            return manifest
    raise NotThere(f"{REVISIONS.name} is rebuilt again and again; try later")


def newest_position(store: Store) -> dict[int, int]:
    """Return how far a snapshot could reach now: the next offset of each partition of `stock-data`.

    Raises:
        NotThere: nothing was read yet.
        StoreAway: MongoDB is away.
    """
    return _reached(store)[1]


def _reached(store: Store) -> tuple[str, dict[int, int]]:
    rows = [row for row in store.checkpoints(REVISIONS.name) if row["topic"] == STOCK_DATA.name]
    if not rows:
        raise NotThere(f"{REVISIONS.name} has read nothing yet: start the projections first")
    return str(rows[0]["epoch"]), vector(rows)[STOCK_DATA.name]


def _earlier(
    out: Path, epoch: str, position: Mapping[int, int], schema_version: int, generation: int
) -> SnapshotManifest | None:
    """Return the folder's snapshot, if this one can go on from it."""
    try:
        earlier = read_manifest((out / MANIFEST).read_bytes())
        made_of = (out / LOCK).read_text()
    except (FileNotFoundError, ValueError):
        return None
    like = (earlier.format, earlier.epoch, earlier.schema_version) == (SNAPSHOT_FORMAT, epoch, schema_version)
    behind = all(offset <= position.get(partition, 0) for partition, offset in earlier.position.items())
    return earlier if like and behind and made_of == str(generation) else None


def _changed(log: ReadableLog, earlier: SnapshotManifest, position: Mapping[int, int]) -> set[FileKey] | None:
    """Return what the log has bars of since an earlier snapshot; None where it does not tell, or all is less to write.

    Raises:
        KafkaAway, RegistryAway: a server does not answer.
    """
    start = {partition: earlier.position.get(partition, 0) for partition in position}
    if sum(position.values()) - sum(start.values()) > earlier.rows or log.epoch(STOCK_DATA) != earlier.epoch:
        return None
    try:
        bars = [record.event for record in log.read(STOCK_DATA, start, position)]
    except LogUnsound:  # whoever reads it for its own sake says so
        return None
    return {
        FileKey(bar.symbol, bar.interval, file_period(bar.interval, bar.closed_at))
        for bar in bars
        if isinstance(bar, BarClosed)
    }


def stage(
    store: Store,
    out: Path,
    epoch: str,
    position: dict[int, int],
    schema_version: int,
    collection: str = REVISIONS.name,
    format: int = SNAPSHOT_FORMAT,
    *,
    only: Collection[FileKey] | None = None,
    kept: Collection[SnapshotFile] = (),
) -> SnapshotManifest:
    """Write files under temporary names: a full disk leaves the earlier snapshot whole.

    Args:
        collection: where the revisions are.
        only: what to write; None: all there is.
        kept: the files of an earlier snapshot that belong to this one, too.
    """
    for stale in out.glob("*.tmp"):
        stale.unlink()
    columns = columns_of(schema_version)
    files = list(kept)
    for key, rows in _divided(store, collection, position, format, only):
        content = csv_bytes(rows, columns)
        file = manifest_of(file_name(*key), rows, content)
        csv, parquet = names_of(file.name)
        _write(out / f"{csv}.tmp", content)
        if format != UNDIVIDED:
            _write(out / f"{parquet}.tmp", parquet_bytes(rows, columns))
        files.append(file)
    files.sort(key=lambda file: file.name)
    manifest = SnapshotManifest(STOCK_DATA.name, epoch, position, columns, tuple(files), schema_version, format)
    _write(out / f"{MANIFEST}.tmp", manifest_bytes(manifest))
    return manifest


def _divided(
    store: Store, collection: str, position: Mapping[int, int], format: int, only: Collection[FileKey] | None
) -> Iterator[tuple[FileKey, list[Document]]]:
    """Yield the bars of each file, by rising time."""
    if only is None:
        for symbol in sorted(store.distinct(collection, "symbol")):
            for interval, rows in bars_at(store.scan(collection, {"symbol": symbol}), position).items():
                divided = {"": rows} if format == UNDIVIDED else by_period(rows)
                yield from ((FileKey(symbol, interval, period), found) for period, found in divided.items())
        return
    for key in sorted(only):
        within = dict(zip(("$gte", "$lt"), _bounds(key.period), strict=True))
        where = {"symbol": key.symbol, "interval": key.interval, "closed_at": within}
        if found := bars_at(store.scan(collection, where), position):
            yield key, found[key.interval]


def _bounds(period: str) -> tuple[datetime, datetime]:
    """Return the first moment of a period, and of the next one."""
    year, _, month = period.partition("-")
    first = datetime(int(year), int(month or 1), 1, tzinfo=UTC)
    months = first.year * 12 + first.month - 1 + (1 if month else 12)
    return first, datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _publish(out: Path, manifest: SnapshotManifest, generation: int) -> None:
    """Give the staged files their names; the manifest's comes last, so an interrupted snapshot is seen as torn."""
    (out / LOCK).write_text("")
    for path in sorted(out.glob("*.tmp")):
        if path.stem != MANIFEST:
            path.rename(path.with_suffix(""))
    (out / f"{MANIFEST}.tmp").rename(out / MANIFEST)
    for path in written(out):
        if path.name not in manifest.listed:
            path.unlink()
    (out / LOCK).write_text(str(generation))
    folder = os.open(out, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _key(file: SnapshotFile) -> FileKey:
    return FileKey(file.symbol, file.interval, file_period(file.interval, datetime.fromisoformat(file.first_closed_at)))


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
