"""How a rebuild puts its collection in the live one's place while writers and other rebuilds may come, stall or die.

One row a read model in `generations`:

    {_id, generation, builds, writers: {instance: {seen_at, paused: token}},
     rebuild: {token, build, collection, until, pausing, expected, abandoned}}

All times in it are by the server's clock: a machine whose own is wrong is a writer like the others.

The danger is a writer whose position is ahead of the collection that it writes to: the events in between would be
lost behind the fence.  Nothing here that keeps it away rests on clocks or on anybody's good behaviour:

1. The rebuild asks for a pause (`pausing`); writers stop between two batches and say so.  One that has not been
   seen for LEASE seconds is taken for dead.
2. The rebuild raises `generation`, in the row and in the checkpoints.  A writer that was not dead can now finish one
   batch (which began at or before the checkpoint, so it leaves no gap) but cannot move its checkpoint: it stops.
3. Only then it reads the checkpoints, catches up to them, compares, commits (the lease must still be its own), renames.
4. A server that dies in the middle of a rename may leave anything (the embedded one empties both collections).  So
   the commit says what the collection can be afterwards (`expected`), and a rename that is not known to have gone well
   leaves the lease to run out.
5. Whoever finds a lease run out first marks it `abandoned` (from then on the rebuild cannot renew or commit), then
   drops the rebuild's collection (from then on it cannot rename), and only then lets writers go on.  Collections are
   never named twice.  Where a rename was under way and the collection is not as expected, it is dropped and its
   checkpoints go back to the beginning: the log has everything.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from projections.answers import Superseded
from projections.comparison import documents_fingerprint
from projections.folds import Document
from projections.mongo import Store

log = structlog.get_logger()

LEASE = timedelta(seconds=15)
COMMIT = timedelta(seconds=20)  # for the rename to begin; the lease is renewed while it lasts


def claim(store: Store, model: str, token: str) -> Document | None:
    """Become the one rebuild of a read model; return its row, None while another one holds the lease."""
    store.ensure_generation(model)
    clear_abandoned(store, store.generation(model))
    row = store.change_generation(
        model,
        {"rebuild": None},
        {"$inc": {"builds": 1}, "$set": {"rebuild": {"token": token, "until": store.now() + LEASE, "pausing": False}}},
    )
    if row is None:
        return None
    collection = f"{model}__{row['builds']}"
    return _own(store, model, token, {"$set": {"rebuild.build": row["builds"], "rebuild.collection": collection}})


def renew(store: Store, model: str, token: str) -> None:
    """Keep the lease.

    Raises:
        Superseded: it ran out and was taken away.
    """
    _own(store, model, token, {"$max": {"rebuild.until": store.now() + LEASE}})


def ask_for_pause(store: Store, model: str, token: str) -> None:
    """Ask all writers to stop between two batches."""
    _own(store, model, token, {"$set": {"rebuild.pausing": True}})


def still_writing(store: Store, model: str, token: str) -> list[str]:
    """Return the writers that live and have not stopped yet.

    One that was seen in a time to come is none of them: the clock has been set back since.
    """
    writers: Mapping[str, Any] = store.generation(model).get("writers", {})
    return [
        instance
        for instance, writer in writers.items()
        if writer["paused"] != token and abs(store.now() - writer["seen_at"]) < LEASE
    ]


def fence_writers(store: Store, model: str, token: str) -> int:
    """Raise the generation: no writer of an earlier one can move a checkpoint from here on.  Return the new one."""
    row = _own(store, model, token, {"$inc": {"generation": 1}})
    store.stamp_checkpoints(model, row["generation"])
    return int(row["generation"])


def commit(store: Store, model: str, token: str, expected: Sequence[str]) -> None:
    """Secure the time for the rename.

    Args:
        expected: fingerprints that the live collection may have after it, whether it was made or not.

    Raises:
        Superseded: the lease ran out and was taken away.
    """
    change = {"$max": {"rebuild.until": store.now() + COMMIT}, "$set": {"rebuild.expected": list(expected)}}
    _own(store, model, token, change)


def release_lease(store: Store, model: str, token: str) -> None:
    """Give the lease back: writers go on."""
    store.change_generation(model, {"rebuild.token": token}, {"$unset": {"rebuild": ""}})


def clear_abandoned(store: Store, row: Document) -> None:
    """Take away the lease of a rebuild that ran out, and make sure that it can never take over."""
    rebuild = row.get("rebuild")
    if not rebuild:
        return
    mine = {"rebuild.token": rebuild["token"]}
    if not rebuild.get("abandoned"):
        # One for longer than any is given was given before the clock was set back.
        if timedelta() < rebuild["until"] - store.now() <= max(LEASE, COMMIT):
            return
        change = {"$set": {"rebuild.abandoned": True}}
        if store.change_generation(row["_id"], {**mine, "rebuild.until": rebuild["until"]}, change) is None:
            return  # it was renewed, or another has taken it away
    if collection := rebuild.get("collection"):
        store.drop(collection)
    expected = rebuild.get("expected")
    if expected and documents_fingerprint(store, row["_id"]) not in expected:
        # Unless another has looked too, and writers went on meanwhile.
        if (risen := store.change_generation(row["_id"], mine, {"$inc": {"generation": 1}})) is None:
            return
        log.error("a rename was cut off: this read model is read again from the beginning", read_model=row["_id"])
        store.drop(row["_id"])  # what is left may be broken: ids that can be neither read nor inserted
        store.rewind_checkpoints(row["_id"], risen["generation"])
    store.change_generation(row["_id"], mine, {"$unset": {"rebuild": ""}})


def pausing_token(row: Document) -> str:
    """Return the token of the rebuild that asks for a pause; empty where none does."""
    rebuild = row.get("rebuild") or {}
    return str(rebuild["token"]) if rebuild.get("pausing") else ""


def beat(store: Store, model: str, instance: str, paused: str) -> Document:
    """Say that a writer lives, and for which rebuild it has stopped; return the row."""
    change = {"$set": {f"writers.{instance}": {"seen_at": store.now(), "paused": paused}}}
    while (row := store.change_generation(model, {}, change)) is None:
        store.ensure_generation(model)
    return row


def leave(store: Store, model: str, instance: str) -> None:
    """Say that a writer has ended."""
    store.change_generation(model, {}, {"$unset": {f"writers.{instance}": ""}})


def _own(store: Store, model: str, token: str, change: Mapping[str, Any]) -> Document:
    where = {"rebuild.token": token, "rebuild.abandoned": None}
    row = store.change_generation(model, where, change)
    if row is None:
        raise Superseded(
            f"the rebuild of {model} took too long to answer and was set aside; nothing was changed: start it again"
        )
    return row
