"""Make a backup of a home while everything runs."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import psutil

from stack.layout import MARK, Layout
from stack.run.backup import registry
from stack.run.backup.cut import METADATA, NotedFile, PartitionCut, cut_log, note_files
from stack.run.backup.manifest import BackupManifest, EndsByTopic, Piece, StoredFile
from stack.run.backup.repository import BackupRefused, Repository
from stack.run.backup.segments import SegmentUnsound, ended_transactions, segment_batches
from stack.run.home import HOME_FORMAT
from stack.run.lock import Lock
from stack.services.sqlite import copy_database
from stack.services.supervisor import PROJECT as ROOT
from stack.services.supervisor import PYTHON, Supervisor
from stack.settings import from_file
from streaming.damage import Damaged
from streaming.ranges import every_end

_CHUNK = 1 << 20
_TRIES = 3  # a topic may be deleted while it is read
_DATABASES = ("mlflow/mlflow.db", "airflow/airflow.db")
BackupProgress = Callable[[int, int], None]  # bytes done, bytes of all


def back_up(layout: Layout, folder: Path, progress: BackupProgress = lambda done, total: None) -> BackupManifest:
    """Keep in a folder what cannot be derived; what it holds already is not read again.

    The log is cut first, derived topics before those that they name; schemas, models and the market's clock follow. So
    all that an event refers to is in the backup, and it is a state that a power cut could have left.

    Raises:
        BackupRefused: it cannot be made here, or not into this folder.
        Damaged: the log is not what was written to it.
        KafkaAway, OSError: Kafka or the registry does not answer, or the folder cannot be written.
    """
    if folder.is_relative_to(layout.home):
        raise BackupRefused(f"{folder} is in the home, and would be lost with it. Name a folder on another disk.")
    repository = Repository(folder)
    repository.make()
    with Lock(folder / "lock") as lock:
        if not lock.taken():
            raise BackupRefused(f"Another backup (process {lock.holder()}) is at work on {folder}.")
        for left in reversed(range(_TRIES)):
            try:
                return _Making(layout, repository, progress).run()
            except FileNotFoundError:
                if not left:
                    raise
    raise AssertionError


class _Making:
    def __init__(self, layout: Layout, repository: Repository, progress: BackupProgress) -> None:
        self._layout, self._repository, self._progress = layout, repository, progress
        self._before = repository.manifest()
        self._known = {file.path: file for file in self._before.files} if self._before else {}
        self._done = self._total = 0

    def run(self) -> BackupManifest:
        layout, kafka = self._layout, self._layout.data / "kafka"
        cluster = _cluster(kafka / "meta.properties")
        if self._before and self._before.cluster != cluster:
            raise BackupRefused(
                f"{self._repository.folder} is a backup of another log (cluster {self._before.cluster}, and this one "
                f"is {cluster}). Name another folder."
            )
        acknowledged = every_end(layout.stream())
        partitions = cut_log(kafka)
        self._total = sum(segment.size for each in partitions for segment in each.segments)
        files: list[StoredFile] = []
        ends: EndsByTopic = {}
        for partition in partitions:
            kept = self._segments(partition, acknowledged.get((partition.topic, partition.number), 0))
            files += kept
            files += [self._whole(each) for each in partition.beside]
            if partition.topic != METADATA:
                ends.setdefault(partition.topic, {})[partition.number] = kept[-1].following or 0
        for name in ("meta.properties", "bootstrap.checkpoint"):
            files += [self._whole(note_files(path)) for path in (kafka / name,) if path.exists()]
        schemas = registry.schemas_of(layout)
        exported = self._repository.store([registry.export_registry(layout)])
        files += [self._database(path) for name in _DATABASES if (path := layout.data / name).exists()]
        for folder in (layout.data / "mlflow" / "artifacts", layout.home / "exchange", layout.secrets):
            files += [self._whole(note_files(path)) for path in sorted(folder.rglob("*")) if path.is_file()]
        manifest = BackupManifest(
            made_by=version("foretick"),
            taken_at=datetime.now(UTC),
            home=HOME_FORMAT,
            cluster=cluster,
            ends=ends,
            schemas=schemas,
            registry=exported,
            settings=_settings(layout),
            files=tuple(files),
        )
        self._repository.commit(manifest)
        return manifest

    def _segments(self, partition: PartitionCut, acknowledged: int) -> list[StoredFile]:
        """Keep a partition's segments up to the last whole batch, and the last transaction that has ended."""
        kept: list[StoredFile] = []
        for segment in partition.segments:
            following = int(segment.path.stem)
            if kept and following != kept[-1].following:
                raise Damaged(
                    partition.topic, partition.number, kept[-1].following, f"the next segment begins at {following}"
                )
            try:
                kept.append(self._segment(segment, following, last=segment is partition.segments[-1]))
            except SegmentUnsound as problem:
                raise Damaged(partition.topic, partition.number, problem.offset, problem.seen) from problem
            self._done += segment.size
            self._progress(self._done, self._total)
        following = kept[-1].following or 0
        if following < acknowledged:
            raise Damaged(
                partition.topic, partition.number, following, f"the broker has {acknowledged}, its files end before it"
            )
        return kept

    def _segment(self, segment: NotedFile, following: int, *, last: bool) -> StoredFile:
        known = self._unchanged(segment)
        if known is not None and (last or sum(piece.size for piece in known.pieces) == segment.size):
            return known
        pieces: tuple[Piece, ...] = ()
        earlier = self._known.get(self._name(segment.path))
        with segment.path.open("rb") as file:
            if earlier and earlier.following is not None and _begins_with(file, earlier):
                pieces, following = earlier.pieces, earlier.following
            start = sum(piece.size for piece in pieces)

            def added() -> Iterator[bytes]:
                nonlocal following
                batches = segment_batches(file, start, segment.size, following)
                for batch in ended_transactions(batches) if last else batches:
                    following = batch.following
                    yield batch.data

            piece = self._repository.store(added())
        if piece.size:
            pieces += (piece,)
        return self._stored(segment, pieces, following)

    def _whole(self, file: NotedFile) -> StoredFile:
        known = self._unchanged(file)
        if known is not None:
            return known
        with file.path.open("rb") as source:
            piece = self._repository.store(_chunks(source))
        return self._stored(file, (piece,), None)

    def _database(self, path: Path) -> StoredFile:
        """Keep a SQLite database as it is at one moment, whoever writes to it."""
        with tempfile.TemporaryDirectory(dir=self._layout.run) as folder:
            taken = Path(folder) / path.name
            copy_database(path, taken)
            with taken.open("rb") as file:
                piece = self._repository.store(_chunks(file))
        return self._stored(note_files(path), (piece,), None)

    def _unchanged(self, file: NotedFile) -> StoredFile | None:
        known = self._known.get(self._name(file.path))
        return known if known and (known.size, known.modified) == (file.size, file.modified) else None

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._layout.home))

    def _stored(self, file: NotedFile, pieces: tuple[Piece, ...], following: int | None) -> StoredFile:
        return StoredFile(
            path=self._name(file.path), pieces=pieces, size=file.size, modified=file.modified, following=following
        )


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _begins_with(file: BinaryIO, earlier: StoredFile) -> bool:
    """Tell whether a segment still begins with what was kept of it: a log that was restored may go on otherwise."""
    if not earlier.pieces:
        return True
    last = earlier.pieces[-1]
    file.seek(sum(piece.size for piece in earlier.pieces[:-1]))
    hashed, left = hashlib.sha256(), last.size
    while left and (chunk := file.read(min(left, _CHUNK))):
        hashed.update(chunk)
        left -= len(chunk)
    return hashed.hexdigest() == last.sha256


def _cluster(properties: Path) -> str:
    """Return Kafka's id of the log, which it made when its storage was formatted."""
    try:
        lines = properties.read_text().splitlines()
    except FileNotFoundError as error:
        raise BackupRefused(f"There is no log yet in {properties.parent}: nothing to back up.") from error
    return next(line.partition("=")[2] for line in lines if line.startswith("cluster.id="))


def _settings(layout: Layout) -> dict[str, str]:
    """Return the settings of what runs."""
    return chosen_settings(layout, from_file(layout.project) | psutil.Process(Supervisor(layout).pid()).environ())


def chosen_settings(layout: Layout, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings among variables that do not follow from the home and the ports."""
    follow, own = {MARK, PYTHON, ROOT, "FORETICK_CACHE"}, replace(layout, mongodb="").environment()
    return {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith("FORETICK_") and name not in follow and value != own.get(name)
    }
