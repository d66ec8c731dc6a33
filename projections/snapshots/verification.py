"""Verify snapshots: each file against the manifest, each Parquet file against its CSV."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from projections.snapshots.content import (
    ENDINGS,
    MANIFEST,
    SNAPSHOT_FORMAT,
    UNDIVIDED,
    SnapshotFile,
    names_of,
    read_manifest,
    snapshot_faults,
)
from projections.snapshots.parquet import parquet_as_csv

LOCK = ".lock"  # it also names the generation of the read model that the files were made of


def untouched(out: Path, file: SnapshotFile) -> bool:
    """Tell whether a file has its size, and nobody has written to it since the manifest was: its bytes are not read."""
    finished = (out / MANIFEST).stat().st_mtime_ns
    try:
        told = [(out / name).stat() for name in names_of(file.name)]
    except FileNotFoundError:
        return False
    return told[0].st_size == file.size and all(each.st_mtime_ns <= finished for each in told)


def as_told(out: Path, file: SnapshotFile) -> bool:
    """Tell whether a file's bytes are what the manifest says."""
    return not _faults(out, file, SNAPSHOT_FORMAT)


def verify(folder: Path) -> list[str]:
    """Say what is wrong with a snapshot; empty where each file is as the manifest describes it."""
    try:
        with locked(folder, fcntl.LOCK_SH):
            manifest = read_manifest((folder / MANIFEST).read_bytes())
            found = [fault for file in manifest.files for fault in _faults(folder, file, manifest.format)]
            strangers = sorted(path.name for path in written(folder) if path.name not in manifest.listed)
            return found + [f"{name} is not in the manifest" for name in strangers]
    except FileNotFoundError:
        return [f"no {MANIFEST} in {folder}: not a snapshot, or one that was never finished"]
    except ValueError as error:
        return [str(error)]


def _faults(folder: Path, file: SnapshotFile, format: int) -> list[str]:
    """Say in what a file, or its Parquet, is not as described."""
    csv, parquet = (path.read_bytes() if path.exists() else None for path in map(folder.joinpath, names_of(file.name)))
    found = snapshot_faults(file, csv)
    if format == UNDIVIDED or found or (parquet is not None and parquet_as_csv(parquet) == csv):
        return found
    name = names_of(file.name)[1]
    return [f"{name} is missing" if parquet is None else f"{name} is torn, or its bars are not those of {file.name}"]


def written(out: Path) -> list[Path]:
    """Return the files of a folder that a snapshot may have written, but for the manifest."""
    return [path for ending in ENDINGS for path in out.glob(f"*.{ending}")]


@contextmanager
def locked(folder: Path, kind: int) -> Iterator[None]:
    """Keep writers and readers of a folder apart; without write access to it there is no writer to fear."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT)
    except PermissionError:
        yield
        return
    try:
        fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)
