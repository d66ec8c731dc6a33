"""A read model as it was: built from the log up to given offsets beside the live one, which goes on undisturbed.

The state at an offset vector is a function of the log, so its hash is the same whenever it is built.  It never takes
over: it is looked at (hash, counts), written to a file, compared with a snapshot, and thrown away.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from contracts.topics import STOCK_DATA, topic_named
from projections.comparison import documents_fingerprint
from projections.folds import ReadModel
from projections.hashes import canonical
from projections.lease import Lease, LeaseRefused
from projections.mongo import Store
from projections.read_models.revisions import REVISIONS
from projections.read_models.table import read_model
from projections.rebuild import rebuild_refusal
from projections.refill import Refill, RefillProgress, Vector
from projections.settings import ProjectionSettings
from projections.snapshots.content import MANIFEST, read_manifest
from projections.snapshots.files import stage
from projections.snapshots.verification import verify
from streaming.codec import Poison
from streaming.damage import LogUnsound
from streaming.errors import StoreAway
from streaming.offsets_at import offsets_at
from streaming.reader import topic_epoch

log = structlog.get_logger()


class NoSuchMoment(ValueError):
    """What was given is neither a time nor offsets of the read model's topics; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class PastState:
    """What a read model was at some offsets; all but the file is a function of the log.

    Args:
        sha256: order-independent hash of its documents, as rebuilds print it.
    """

    name: str
    position: Vector
    documents: int
    sha256: str
    read: int
    applied: int
    fenced: int
    dead: int
    seconds: float


def state_as_of(
    settings: ProjectionSettings,
    name: str,
    position: Vector,
    *,
    export: Path | None = None,
    skip_dead: bool = False,
    progress: RefillProgress = lambda done, total: None,
) -> PastState:
    """Build a read model from the log up to `position`, and describe it.

    Args:
        export: a file to write its documents to: JSON lines by `_id`, the same bytes each time.
        skip_dead: pass over messages that cannot be read.

    Raises:
        KeyError: no such read model.
        NoSuchMoment: the position lacks a topic that the read model is made of.
        RebuildRefused: the log does not hold all of its history, a message cannot be read, or a rebuild runs.
        StoreAway, KafkaAway, RegistryAway: a server is away.
    """
    model = read_model(name)
    began = time.monotonic()
    with _built(settings, model, position, skip_dead, progress) as (store, collection, filling):
        sha256, _, documents = documents_fingerprint(store, collection).partition("/")
        if export:
            with export.open("wb") as file:
                file.writelines(canonical(document) + b"\n" for document in store.scan(collection, order="_id"))
        return PastState(
            name, filling.position, int(documents), sha256, **filling.totals, seconds=time.monotonic() - began
        )


def verify_against_log(
    settings: ProjectionSettings, folder: Path, progress: RefillProgress = lambda done, total: None
) -> list[str]:
    """Say in what a snapshot is not what the log says at its offsets; empty where it is, byte for byte.

    Raises:
        RebuildRefused: the log does not hold all of its history, or a message cannot be read.
        StoreAway, KafkaAway, RegistryAway: a server is away.
    """
    if found := verify(folder):
        return found
    manifest = read_manifest((folder / MANIFEST).read_bytes())
    epoch = topic_epoch(settings, STOCK_DATA)
    if manifest.epoch != epoch:
        return [f"its offsets are of {STOCK_DATA.name} in epoch {manifest.epoch}; the topic's epoch is {epoch}"]
    position = {STOCK_DATA.name: manifest.position}
    with (
        _built(settings, REVISIONS, position, False, progress) as (store, collection, _),
        tempfile.TemporaryDirectory() as scratch,
    ):
        past = manifest.position, manifest.schema_version
        staged = stage(store, Path(scratch), epoch, *past, collection, manifest.format)
        told = {file.name: file for file in staged.files}
    ours = {file.name: file for file in manifest.files}
    found = [f"{name} is not in the log" for name in sorted(ours.keys() - told.keys())]
    found += [f"{name} is missing: the log has it" for name in sorted(told.keys() - ours.keys())]
    both = sorted(name for name in ours.keys() & told.keys() if ours[name] != told[name])
    return found + [f"{name} is not what the log says: sha256 {told[name].sha256}" for name in both]


def moment_of(settings: ProjectionSettings, model: ReadModel, text: str) -> Vector:
    """Read a moment: an RFC 3339 time, `{topic: {partition: next offset}}` as JSON, or a file that holds such.

    A time stands for what was published at or before it, by the market's clock (`ce_time`).
    A snapshot's manifest names a moment, too.

    Raises:
        NoSuchMoment: it is none of these, or says nothing of one of the read model's topics.
        KafkaAway: the broker does not answer.
    """
    path = Path(text)
    if not text.lstrip().startswith("{") and path.is_file():
        text = path.read_text()
    if not text.lstrip().startswith("{"):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise NoSuchMoment(
                f"{text!r} is no time, no JSON and no file; give one of them: 2012-01-03T21:00:00Z, "
                f"""'{{"{STOCK_DATA.name}": {{"0": 120}}}}', or a file that holds such offsets"""
            ) from None
        if moment.tzinfo is None:
            raise NoSuchMoment(f"{text} has no zone: 2012-01-03T21:00:00Z, say")
        return {topic: offsets_at(settings, topic_named(topic), moment) for topic in model.folds}
    try:
        told = json.loads(text)
        told = {told["topic"]: told["position"]} if "files" in told else told
        position = {topic: {int(place): int(end) for place, end in ends.items()} for topic, ends in told.items()}
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise NoSuchMoment(f'{text[:80]!r} is no {{"topic": {{"partition": next offset}}}}: {error}') from error
    if lacking := [topic for topic in model.folds if topic not in position]:
        raise NoSuchMoment(f"{model.name} is made of {', '.join(model.folds)}; offsets of {', '.join(lacking)} lack")
    return {topic: position[topic] for topic in model.folds}


@contextmanager
def _built(
    settings: ProjectionSettings, model: ReadModel, position: Vector, skip_dead: bool, progress: RefillProgress
) -> Iterator[tuple[Store, str, Refill]]:
    """Build a read model in a collection that is dropped afterwards; under the lease, or a rebuild drops it."""
    store = Store(settings)
    try:
        with Lease(store, model.name) as lease:
            for orphan in store.collections(f"{model.name}__"):
                store.drop(orphan)
            filling = Refill(settings, store, model, lease, skip_dead, progress)
            try:
                store.create(lease.collection)
                filling.fill(position)
                store.index(lease.collection, model.indexes)
                yield store, lease.collection, filling
            finally:
                try:
                    store.drop(lease.collection)
                except StoreAway as away:  # the next rebuild drops it
                    log.warning("left behind", collection=lease.collection, reason=str(away))
    except (LeaseRefused, LogUnsound, Poison) as error:
        raise rebuild_refusal(f"{model.name} cannot be built", error) from error
    finally:
        store.close()
