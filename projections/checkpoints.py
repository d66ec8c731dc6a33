"""Checkpoints: where a read model stands in each partition, and what became of every message up to there.

`read = applied + fenced + dead`, always.  `last` names the last event taken in and where it stood: a log that has
another one there is not the one that the read model was made from, but an older state of it that has gone on otherwise.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from projections.folds import Document
from streaming.records import Partition, Record


def checkpoint_id(model: str, place: Partition) -> str:
    """Name a checkpoint: `stock_data|stock-data|3`."""
    return f"{model}|{place[0]}|{place[1]}"


def fresh(model: str, place: Partition, generation: int, epoch: str, now: datetime) -> Document:
    """Return the checkpoint of a partition of which nothing was read yet."""
    return {
        "_id": checkpoint_id(model, place),
        "read_model": model,
        "topic": place[0],
        "partition": place[1],
        "epoch": epoch,
        "generation": generation,
        "next_offset": 0,
        "read": 0,
        "applied": 0,
        "fenced": 0,
        "dead": 0,
        "last": None,
        "updated_at": now,
    }


def named_checkpoint(record: Record) -> Document:
    """Return what a checkpoint keeps of the last event taken in."""
    return {"offset": record.offset, "event_id": record.event_id}


def moved_checkpoint(
    row: Document,
    next_offset: int,
    applied: int,
    fenced: int,
    dead: int,
    read: int,
    now: datetime,
    last: Record | None = None,
) -> Document:
    """Return a checkpoint that has moved on.

    Args:
        last: the last event taken in; None: there was none.

    Raises:
        ValueError: the counts do not add up to the messages read.
    """
    if read != applied + fenced + dead:
        raise ValueError(f"{row['_id']}: {read} messages read, but {applied} applied + {fenced} fenced + {dead} dead")
    return {
        **row,
        "next_offset": next_offset,
        "read": row["read"] + read,
        "applied": row["applied"] + applied,
        "fenced": row["fenced"] + fenced,
        "dead": row["dead"] + dead,
        "last": named_checkpoint(last) if last else row.get("last"),
        "updated_at": now,
    }


def by_partition(rows: Iterable[Document]) -> dict[Partition, Document]:
    """Sort checkpoints by partition."""
    return {(row["topic"], row["partition"]): row for row in rows}


def vector(rows: Iterable[Document]) -> dict[str, dict[int, int]]:
    """Return the position that checkpoints say: {topic: {partition: next offset}}."""
    position: dict[str, dict[int, int]] = {}
    for row in sorted(rows, key=lambda row: (row["topic"], row["partition"])):
        position.setdefault(row["topic"], {})[row["partition"]] = row["next_offset"]
    return position


def lasts(rows: Iterable[Document]) -> dict[str, dict[int, Document]]:
    """Return the last event that was taken in of each topic and partition, where one is known."""
    found: dict[str, dict[int, Document]] = {}
    for row in rows:
        if row.get("last"):  # checkpoints of earlier versions name none
            found.setdefault(row["topic"], {})[row["partition"]] = row["last"]
    return found


def foreign_epochs(rows: Iterable[Document], epochs: Mapping[str, str]) -> list[str]:
    """Say which topics are not those that the checkpoints speak of: deleted and made again since."""
    found = {row["topic"]: row["epoch"] for row in rows if row["epoch"] != epochs[row["topic"]]}
    return [
        f"{topic} has epoch {epochs[topic]}, the read model was made from {epoch}" for topic, epoch in found.items()
    ]
