"""How read models fold the log into documents, and the fence that makes every repetition a no-op.

A document carries `_at` (`{topic: {partition: offset of the last event folded in}}`) and `_n` (how many events
were folded in).  An event at or below the fence of its topic and partition changes nothing, so a document is a
function of the set of events applied, whatever the batches, the duplicates and the restarts on the way there.
`_n` only ever grows: it is the token by which a writer sees that another one wrote in between.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.documents import FENCE, FOLDED
from contracts.topics import Topic, topic_named
from streaming.records import Record

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FoldFunction:
    """How one topic's events enter a read model.

    Args:
        key_of: the `_id` of the document that an event belongs to.
        apply: the document (None: it does not exist yet) and a record -> the new document; must not alter its
            arguments, and keeps what it does not know with `{**document, ...}`.
    """

    key_of: Callable[[Any], str]
    apply: Callable[[Document | None, Record], Document]


@dataclass(frozen=True, slots=True)
class ReadModel:
    """One collection and the folds that make it.

    Args:
        indexes: compound indexes beside `_id`, each a tuple of field names.
    """

    name: str
    folds: Mapping[str, FoldFunction]
    indexes: tuple[tuple[str, ...], ...] = ()

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Return the topics that it reads."""
        return tuple(topic_named(name) for name in self.folds)


@dataclass(slots=True)
class Folded:
    """A document after some records: how many of them changed it, how many the fence held back."""

    document: Document | None
    applied: dict[tuple[str, int], int] = field(default_factory=dict)
    fenced: dict[tuple[str, int], int] = field(default_factory=dict)


def by_document(model: ReadModel, records: Iterable[Record]) -> dict[str, list[Record]]:
    """Sort records by the document that they belong to, in log order."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(model.folds[record.topic].key_of(record.event), []).append(record)
    return groups


def reached(document: Document | None, topic: str, partition: int) -> int:
    """Return the offset of the last event of a partition in a document; -1 where there is none."""
    if document is None:
        return -1
    return int(document[FENCE].get(topic, {}).get(str(partition), -1))


def fold(model: ReadModel, key: str, document: Document | None, records: Iterable[Record]) -> Folded:
    """Fold records of one document into it, each at most once.

    Args:
        document: as stored; None where there is none yet.
        records: in log order within each partition.
    """
    folded = Folded(document)
    for record in records:
        place = (record.topic, record.partition)
        held = folded.document
        if record.offset <= reached(held, *place):
            folded.fenced[place] = folded.fenced.get(place, 0) + 1
            continue
        at = held[FENCE] if held else {}
        folded.document = {
            **model.folds[record.topic].apply(held, record),
            "_id": key,
            FENCE: {**at, record.topic: {**at.get(record.topic, {}), str(record.partition): record.offset}},
            FOLDED: (held[FOLDED] if held else 0) + 1,
        }
        folded.applied[place] = folded.applied.get(place, 0) + 1
    return folded


def within(document: Document, position: Mapping[str, Mapping[int, int]]) -> bool:
    """Tell whether a document holds no event from `position` ({topic: {partition: next offset}}) on."""
    return all(
        offset < position.get(topic, {}).get(int(partition), 0)
        for topic, partitions in document[FENCE].items()
        for partition, offset in partitions.items()
    )
