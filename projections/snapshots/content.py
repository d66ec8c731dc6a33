"""Snapshots of bars: which rows, their bytes, and the manifest that describes them.

A snapshot at an offset vector is made from the revisions whose first report stands before it in the log, so it can
be made at any moment, beside any number of writers, and again later: the bytes are the same.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import Any
from urllib.parse import quote

from contracts.documents import BARS_COLLECTION
from contracts.events import BarClosed
from contracts.ids import stamp
from contracts.versions import newest, versions
from projections.folds import Document

UNDIVIDED, SNAPSHOT_FORMAT = 1, 2  # the first: one CSV file a series, and no Parquet
MANIFEST = "manifest.json"
ENDINGS = ("csv", "parquet")
NEWEST = newest(BarClosed).version


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """One CSV file: the bars of one symbol, interval and period by rising time."""

    name: str
    symbol: str
    interval: str
    rows: int
    size: int
    sha256: str
    first_closed_at: str
    last_closed_at: str


@dataclass(frozen=True, slots=True)
class SnapshotManifest:
    """What a snapshot holds.

    Args:
        position: next offset of each partition of the log; the snapshot holds what is before it.
        epoch: Kafka's id of the topic that the offsets are of.
        schema_version: the version of `BarClosed` whose fields are the columns.
        format: how bars are divided into files; earlier ones are read, too.
    """

    topic: str
    epoch: str
    position: dict[int, int]
    columns: tuple[str, ...]
    files: tuple[SnapshotFile, ...]
    schema_version: int = NEWEST
    format: int = SNAPSHOT_FORMAT

    @property
    def rows(self) -> int:
        """Return the bars in all files."""
        return sum(file.rows for file in self.files)

    @property
    def listed(self) -> set[str]:
        """Return the names of all files but the manifest's own."""
        known = {file.name for file in self.files}
        return known if self.format == UNDIVIDED else {name for csv in known for name in names_of(csv)}


def bars_at(revisions: Iterable[Document], position: Mapping[int, int]) -> dict[str, list[Document]]:
    """Return the newest revision of each bar that stands before `position`, by interval, by rising time.

    Args:
        revisions: documents of one symbol in `stock_data_revisions`, in any order.
    """
    newest_of: dict[tuple[str, Any], Document] = {}
    for revision in revisions:
        place = revision["position"]
        if place["offset"] >= position.get(place["partition"], 0):
            continue
        key = (revision["interval"], revision["closed_at"])
        if key not in newest_of or revision["revision"] > newest_of[key]["revision"]:
            newest_of[key] = revision
    rows: dict[str, list[Document]] = {}
    for interval, closed_at in sorted(newest_of):
        rows.setdefault(interval, []).append(newest_of[interval, closed_at])
    return rows


def file_period(interval: str, closed_at: datetime) -> str:
    """Return the period whose bars share a file: a year, or a month of bars that are shorter than a day."""
    return f"{closed_at:%Y-%m}" if "T" in interval else f"{closed_at:%Y}"


def by_period(rows: Iterable[Document]) -> dict[str, list[Document]]:
    """Divide a series' bars, which stand by rising time."""
    dated = groupby(rows, lambda row: file_period(row["interval"], row["closed_at"]))
    return {period: list(found) for period, found in dated}


def file_name(symbol: str, interval: str, period: str = "") -> str:
    """Name a file: `AAPL_P1D_2012.csv`; what a file name cannot hold is percent-encoded."""
    return "_".join(filter(None, (quote(symbol, safe="^="), interval, period))) + ".csv"


def names_of(csv: str) -> tuple[str, ...]:
    """Return the names under which the bars of a CSV file are written, its own first."""
    return tuple(f"{csv.removesuffix('csv')}{ending}" for ending in ENDINGS)


def columns_of(schema_version: int = NEWEST) -> tuple[str, ...]:
    """Return the columns of a snapshot: the fields of a version of `BarClosed`.

    Raises:
        ValueError: there is no such version.
    """
    for version in versions(BarClosed):
        if version.version == schema_version:
            return version.field_names
    raise ValueError(f"BarClosed has no version {schema_version}; the newest is {NEWEST}")


def csv_bytes(rows: Iterable[Document], columns: tuple[str, ...] = columns_of()) -> bytes:
    """Write bars as CSV: a header, UTF-8, `\\n`, RFC 3339 times in UTC, the shortest text that reads back exactly."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_text(row.get(column)) for column in columns] for row in rows)
    return out.getvalue().encode()


def manifest_of(name: str, rows: list[Document], content: bytes) -> SnapshotFile:
    """Return the manifest's entry of a file."""
    return SnapshotFile(
        name=name,
        symbol=rows[0]["symbol"],
        interval=rows[0]["interval"],
        rows=len(rows),
        size=len(content),
        sha256=sha256(content).hexdigest(),
        first_closed_at=stamp(rows[0]["closed_at"]),
        last_closed_at=stamp(rows[-1]["closed_at"]),
    )


def manifest_bytes(manifest: SnapshotManifest) -> bytes:
    """Write a manifest as JSON, with a hash of itself: nothing in it depends on when or where it was written."""
    body = {
        "format": manifest.format,
        "read_model": BARS_COLLECTION,
        "topic": manifest.topic,
        "epoch": manifest.epoch,
        "position": {str(partition): offset for partition, offset in sorted(manifest.position.items())},
        "schema": {"event": "BarClosed", "version": manifest.schema_version},
        "columns": list(manifest.columns),
        "rows": manifest.rows,
        "files": [
            {name: getattr(file, name) for name in SnapshotFile.__slots__}
            for file in sorted(manifest.files, key=lambda file: file.name)
        ],
    }
    return _json({**body, "sha256": sha256(_json(body)).hexdigest()})


def read_manifest(content: bytes) -> SnapshotManifest:
    """Read a manifest back.

    Raises:
        ValueError: it is torn or was altered; the text says how.
    """
    try:
        body = json.loads(content)
        told = body.pop("sha256")
        if body["format"] not in (UNDIVIDED, SNAPSHOT_FORMAT):
            raise ValueError(f"format {body['format']}, this program reads {UNDIVIDED} and {SNAPSHOT_FORMAT}")
        if told != sha256(_json(body)).hexdigest():
            raise ValueError("its own sha256 does not fit: it was altered")
        if _json({**body, "sha256": told}) != content:
            raise ValueError("it is torn, or was written by another program")
        return SnapshotManifest(
            topic=body["topic"],
            epoch=body["epoch"],
            position={int(partition): offset for partition, offset in body["position"].items()},
            columns=tuple(body["columns"]),
            files=tuple(SnapshotFile(**file) for file in body["files"]),
            schema_version=body["schema"]["version"],
            format=body["format"],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{MANIFEST}: {error}") from error


def snapshot_faults(file: SnapshotFile, content: bytes | None) -> list[str]:
    """Say in what a file is not as its manifest describes it; empty where it is."""
    if content is None:
        return [f"{file.name} is missing"]
    if len(content) < file.size:
        return [f"{file.name} is torn: {len(content)} bytes of {file.size}"]
    if sha256(content).hexdigest() != file.sha256:
        return [f"{file.name} was altered: its sha256 is not {file.sha256}"]
    return []


def _text(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return stamp(value)
    return "" if value is None else repr(value) if isinstance(value, float) else value


def _json(body: Any) -> bytes:
    return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()
