"""Rebuild a read model from the log beside the live one, and prove that both are the same, or take its place."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from contracts.topics import topic_named
from projections.checkpoints import foreign_epochs, fresh, moved_checkpoint, vector
from projections.comparison import Comparing, Comparison, documents_fingerprint
from projections.folds import Document, ReadModel
from projections.lease import Lease, LeaseRefused
from projections.mongo import Store, now
from projections.read_models.table import read_model
from projections.refill import Refill, RefillProgress, Vector
from projections.restored import restored
from projections.settings import ProjectionSettings
from streaming.codec import Poison
from streaming.damage import LogUnsound
from streaming.errors import StoreAway
from streaming.reader import topic_epoch, watermarks
from streaming.records import Partition

log = structlog.get_logger()

_NEAR = 2000  # events: so near to the live read model it is worth comparing
_FEW = 50  # documents: so few are compared while it is paused
_ROUNDS = 8


class RebuildRefused(Exception):
    """The rebuild cannot be made, and the live read model is as it was; the text says why and what to do."""


def rebuild_refusal(what: str, error: Exception) -> RebuildRefused:
    """Say why something is not built, and what to do."""
    hint = " Settle its dead letter (foretick dlq), or pass over all such with --skip-dead."
    return RebuildRefused(f"{what}: {error}.{hint if isinstance(error, Poison) else ''}")


@dataclass(slots=True)
class RebuildReport:
    """What a rebuild did.

    Args:
        position: {topic: {partition: next offset}} at which both were compared.
        comparison: None where there was no live read model of these topics to compare with.
        paused_seconds: how long the live read model stood still.
    """

    name: str
    collection: str
    position: Vector = field(default_factory=dict)
    read: int = 0
    applied: int = 0
    fenced: int = 0
    dead: int = 0
    comparison: Comparison | None = None
    took_over: bool = False
    seconds: float = 0.0
    paused_seconds: float = 0.0

    @property
    def equal(self) -> bool:
        """Tell whether the live read model was what the log makes it."""
        return self.comparison is not None and self.comparison.equal


def rebuild(
    settings: ProjectionSettings,
    name: str,
    *,
    verify_only: bool = False,
    accept_difference: bool = False,
    skip_dead: bool = False,
    progress: RefillProgress = lambda done, total: None,
) -> RebuildReport:
    """Build a read model again from offset 0, and compare it with the live one at the same offsets.

    The rebuilt one takes the live one's place where that is wanted; an equal one need not.  The live read model goes on
    meanwhile, but for a short pause in which the documents are compared that changed in the last moments.  Killed at
    any moment, this leaves it as it is.

    Args:
        name: the read model's collection.
        verify_only: compare, and throw the new one away in any case.
        accept_difference: take over, even if they differ: for a changed projection, or a topic made again.
        skip_dead: pass over messages that cannot be read, as the live read model did; those whose dead letter was
            redriven or dropped are passed over anyway.

    Raises:
        KeyError: no such read model.
        RebuildRefused: the log does not hold all of its history, a message cannot be read, or another rebuild runs.
        StoreAway, KafkaAway, RegistryAway: a server is away; start it again later.
        Superseded: this rebuild stalled too long and was set aside.
    """
    model = read_model(name)
    store = Store(settings)
    began = time.monotonic()
    try:
        with Lease(store, name) as lease:
            work = _Rebuild(settings, store, model, lease, skip_dead, progress)
            report = work.run(verify_only, accept_difference)
        report.seconds = time.monotonic() - began
        log.info("rebuilt", read_model=name, equal=report.equal, took_over=report.took_over, read=report.read)
        return report
    except (LeaseRefused, LogUnsound, Poison) as error:
        raise rebuild_refusal(f"{name} was not rebuilt, the live one is as it was", error) from error
    finally:
        store.close()


class _Rebuild:
    """One rebuild that holds the lease."""

    def __init__(
        self,
        settings: ProjectionSettings,
        store: Store,
        model: ReadModel,
        lease: Lease,
        skip_dead: bool,
        progress: RefillProgress,
    ) -> None:
        self._settings = settings
        self._store = store
        self._model = model
        self._lease = lease
        self._report = RebuildReport(model.name, lease.collection)
        self._filling = Refill(settings, store, model, lease, skip_dead, progress)
        self._comparing = Comparing(store, model.name, lease.collection)

    def run(self, verify_only: bool, accept_difference: bool) -> RebuildReport:
        """Carry it out; the new collection is gone afterwards, or the live one."""
        for orphan in self._store.collections(f"{self._model.name}__"):
            self._store.drop(orphan)
        epochs = {topic: topic_epoch(self._settings, topic_named(topic)) for topic in self._model.folds}
        anew = self._is_anew(epochs, accept_difference)
        try:
            self._store.create(self._lease.collection)
            self._filling.fill(self._target(anew))
            self._store.index(self._lease.collection, self._model.indexes)
            if not anew:
                self._compare()
            self._finish(epochs, anew, verify_only, accept_difference)
        finally:
            if not self._report.took_over:
                self._throw_away()
        return self._report

    def _compare(self) -> None:
        """Compare while the live read model goes on, until few documents are left that have changed meanwhile."""
        for _ in range(_ROUNDS):
            target = self._target(False)
            if self._filling.missing(target) <= _NEAR:
                break
            self._filling.fill(target)
        self._comparing.all(self._filling.position)
        self._filling.note_changes()
        for _ in range(_ROUNDS):
            target = self._target(False)
            self._filling.fill(target)
            self._comparing.again(self._filling.changed(), target)
            if len(self._comparing.open) <= _FEW:
                break

    def _is_anew(self, epochs: Mapping[str, str], accept_difference: bool) -> bool:
        """Tell whether there is no live read model of these topics, so that there is nothing to compare with."""
        rows = self._store.checkpoints(self._model.name)
        foreign = foreign_epochs(rows, epochs) or restored(self._settings, rows)
        if not rows:
            foreign = ["it has read nothing yet: is the projections service running?"]
        if foreign and not accept_difference:
            raise RebuildRefused(
                f"{self._model.name} was not rebuilt: {'; '.join(foreign)}. "
                "To build it from what the log holds now, with nothing to compare with: --accept-difference"
            )
        return bool(foreign)

    def _target(self, anew: bool) -> Vector:
        """Return the position to build up to: the live read model's, or the end of the log."""
        if not anew:
            return vector(self._store.checkpoints(self._model.name))
        marks = {topic: watermarks(self._settings, topic_named(topic)) for topic in self._model.folds}
        return {topic: {place: high for place, (_, high) in found.items()} for topic, found in marks.items()}

    def _finish(self, epochs: Mapping[str, str], anew: bool, verify_only: bool, accept_difference: bool) -> None:
        """Pause the live read model, catch up with it, compare what is left, and take over where both differ."""
        began = time.monotonic()
        generation = self._lease.pause_writers()
        target = self._target(anew)
        self._filling.fill(target)
        self._report.position = target
        for kind, count in self._filling.totals.items():
            setattr(self._report, kind, count)
        if not anew:
            self._comparing.again(self._filling.changed(), None)
            self._report.comparison = self._comparing.result(self._filling.before)
        if accept_difference and not verify_only:
            with self._lease.committed(self._expected()):
                self._store.rename(self._lease.collection, self._model.name)
            self._report.took_over = True
            if anew:
                self._store.set_checkpoints(
                    [self._checkpoint(place, generation, epochs) for place in self._places(target)]
                )
        self._report.paused_seconds = time.monotonic() - began

    def _expected(self) -> list[str]:
        """Return what the live collection is before and after the rename."""
        if self._report.comparison:
            return self._report.comparison.fingerprints
        return [documents_fingerprint(self._store, name) for name in (self._model.name, self._lease.collection)]

    def _places(self, target: Vector) -> list[Partition]:
        return [(topic, partition) for topic, ends in target.items() for partition in ends]

    def _checkpoint(self, place: Partition, generation: int, epochs: Mapping[str, str]) -> Document:
        filling = self._filling
        counts = {kind: counter[place] for kind, counter in filling.counts.items()}
        row = fresh(self._model.name, place, generation, epochs[place[0]], now())
        end = filling.position[place[0]].get(place[1], 0)
        return moved_checkpoint(row, end, **counts, now=now(), last=filling.last.get(place))

    def _throw_away(self) -> None:
        try:
            self._store.drop(self._lease.collection)
        except StoreAway as away:  # the next rebuild drops it
            log.warning("left behind", collection=self._lease.collection, reason=str(away))
