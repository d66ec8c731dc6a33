"""Who keeps state and the position that belongs to it: what the consumer loop hands its batches to."""

from collections.abc import Sequence
from typing import Protocol

from streaming.records import Batch, Partition


class Sink(Protocol):
    """Keeps state and the position that belongs to it."""

    def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return the next offset to read of each partition; one that is missing is read from its beginning."""
        ...

    def apply(self, batch: Batch) -> None:
        """Fold a batch into the state; state and position are durable when this returns."""
        ...
