"""A moment of the log, noted while the broker writes: nothing in it refers to what came later."""

import re
from dataclasses import dataclass
from pathlib import Path

from contracts.topics import TOPICS

METADATA = "__cluster_metadata"
_NAME = re.compile(r"(?P<topic>[\w.-]+)-(?P<partition>\d+)")
_BESIDE = ("partition.metadata", "leader-epoch-checkpoint")


@dataclass(frozen=True, slots=True)
class NotedFile:
    """Say how long a file was, and when it had been written last (nanoseconds since the epoch)."""

    path: Path
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class PartitionCut:
    """A partition's segments in order, and the small files beside them."""

    topic: str
    number: int
    segments: tuple[NotedFile, ...]
    beside: tuple[NotedFile, ...]


def note_files(path: Path) -> NotedFile:
    """Note a file as it is now."""
    found = path.stat()
    return NotedFile(path, found.st_size, found.st_mtime_ns)


def cut_log(kafka: Path) -> list[PartitionCut]:
    """Note every partition, those first whose events refer to others, and what the broker knows of topics last.

    Left out is what the broker keeps for groups and transactions: no part of Foretick goes on from it.

    Args:
        kafka: the broker's folder.

    Raises:
        FileNotFoundError: a topic was deleted meanwhile.
    """
    found = [(match, folder) for folder in kafka.iterdir() if (match := _NAME.fullmatch(folder.name))]
    partitions = [
        (match["topic"], int(match["partition"]), folder)
        for match, folder in found
        if match["topic"] == METADATA or not match["topic"].startswith("__")
    ]
    return [_note(*each) for each in sorted(partitions, key=lambda each: (_rank(each[0]), *each))]


def _rank(topic: str) -> int:
    """Return a place in the order: of an event and one that names it, the one that names it comes first."""
    if topic == METADATA:
        return len(TOPICS)
    names = [each.name for each in reversed(TOPICS)]
    return next((rank for rank, name in enumerate(names) if topic.endswith(name)), -1)


def _note(topic: str, number: int, folder: Path) -> PartitionCut:
    segments = tuple(note_files(path) for path in sorted(folder.glob("*.log")))
    beside = [folder / name for name in _BESIDE if (folder / name).exists()]
    if topic == METADATA:
        beside += sorted(folder.glob("*.checkpoint"))
    return PartitionCut(topic, number, segments, tuple(note_files(path) for path in beside))
