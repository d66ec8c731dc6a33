"""Write and verify CSV snapshots: staged, flushed to the disk, renamed; the manifest comes last."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from contracts.topics import STOCK_DATA
from projections.checkpoints import vector
from projections.mongo import Store
from projections.read_models.revisions import REVISIONS
from projections.settings import ProjectionSettings
from projections.snapshots.content import (
    MANIFEST,
    NEWEST,
    SnapshotManifest,
    bars_at,
    columns_of,
    csv_bytes,
    file_name,
    manifest_bytes,
    manifest_of,
    read_manifest,
    snapshot_faults,
)

_LOCK = ".lock"
_TRIES = 5


class NotThere(Exception):
    """A snapshot is asked for at a position that the read model has not reached, or of which nothing is known."""


def snapshot(
    settings: ProjectionSettings,
    out: Path | None = None,
    position: Mapping[int, int] | None = None,
    schema_version: int = NEWEST,
) -> SnapshotManifest:
    """Write one CSV file for each symbol and interval, and `manifest.json`; return the manifest.

    Args:
        out: the folder; None: the settings' own.
        position: next offset of each partition of `stock-data`; None: as far as the read model has come.
        schema_version: of `BarClosed`, whose fields are the columns: that of an older snapshot gives its bytes again.

    Raises:
        NotThere: the read model has not come that far, or holds nothing yet.
        ValueError: there is no such version.
        StoreAway: MongoDB is away.
    """
    store = Store(settings)
    try:
        return write_snapshot(store, out or settings.snapshot_folder, position, schema_version)
    finally:
        store.close()


def write_snapshot(
    store: Store, out: Path, position: Mapping[int, int] | None = None, schema_version: int = NEWEST
) -> SnapshotManifest:
    """Write a snapshot from an open store; arguments and errors as of `snapshot`."""
    for _ in range(_TRIES):
        generation = store.generation(REVISIONS.name)["generation"]
        epoch, reached = _reached(store)
        wanted = dict(reached if position is None else position)
        if behind := [partition for partition, offset in wanted.items() if offset > reached.get(partition, 0)]:
            raise NotThere(f"{REVISIONS.name} stands at {reached}, before {wanted} in partitions {behind}")
        out.mkdir(parents=True, exist_ok=True)
        with _locked(out, fcntl.LOCK_EX):
            manifest = stage(store, out, epoch, wanted, schema_version)
            if store.generation(REVISIONS.name)["generation"] != generation:
                continue  # a rebuild took over while the documents were read
            _publish(out, manifest)
            return manifest
    raise NotThere(f"{REVISIONS.name} is rebuilt again and again; try later")


def verify(folder: Path) -> list[str]:
    """Say what is wrong with a snapshot; empty where each file is as the manifest describes it."""
    try:
        with _locked(folder, fcntl.LOCK_SH):
            manifest = read_manifest((folder / MANIFEST).read_bytes())
            found = [fault for file in manifest.files for fault in snapshot_faults(file, _content(folder / file.name))]
            listed = {file.name for file in manifest.files}
            strangers = sorted(path.name for path in folder.glob("*.csv") if path.name not in listed)
            return found + [f"{name} is not in the manifest" for name in strangers]
    except FileNotFoundError:
        return [f"no {MANIFEST} in {folder}: not a snapshot, or one that was never finished"]
    except ValueError as error:
        return [str(error)]


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


def stage(
    store: Store,
    out: Path,
    epoch: str,
    position: dict[int, int],
    schema_version: int,
    collection: str = REVISIONS.name,
) -> SnapshotManifest:
    """Write all files under temporary names: a full disk leaves the earlier snapshot whole.

    Args:
        collection: where the revisions are.
    """
    for stale in out.glob("*.tmp"):
        stale.unlink()
    columns = columns_of(schema_version)
    files = []
    for symbol in sorted(store.distinct(collection, "symbol")):
        for interval, rows in bars_at(store.scan(collection, {"symbol": symbol}), position).items():
            content = csv_bytes(rows, columns)
            _write(out / f"{file_name(symbol, interval)}.tmp", content)
            files.append(manifest_of(symbol, interval, rows, content))
    files.sort(key=lambda file: file.name)
    manifest = SnapshotManifest(STOCK_DATA.name, epoch, position, columns, tuple(files), schema_version)
    _write(out / f"{MANIFEST}.tmp", manifest_bytes(manifest))
    return manifest


def _publish(out: Path, manifest: SnapshotManifest) -> None:
    """Give the staged files their names; the manifest's comes last, so an interrupted snapshot is seen as torn."""
    listed = {file.name for file in manifest.files}
    for name in [*sorted(listed), MANIFEST]:
        (out / f"{name}.tmp").rename(out / name)
    for path in out.glob("*.csv"):
        if path.name not in listed:
            path.unlink()
    folder = os.open(out, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[None]:
    """Keep writers and readers of a folder apart; without write access to it there is no writer to fear."""
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT)
    except PermissionError:
        yield
        return
    try:
        fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)
