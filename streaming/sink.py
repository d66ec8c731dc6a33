"""Who keeps state and the position that belongs to it: what the consumer loop hands its batches to."""

from collections.abc import Sequence
from typing import Protocol

from streaming.away import ServerAway
from streaming.records import Batch, Partition


class Away(ServerAway):
    """A server that a sink needs is away: the batch is tried again, nothing is skipped."""


class TooSlow(Away):
    """A server did not answer in time; perhaps it does for a smaller batch."""


class Sink(Protocol):
    """Keeps state and the position that belongs to it."""

    def positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return the next offset to read of each partition; one that is missing is read from its beginning."""
        ...

    def apply(self, batch: Batch) -> None:
        """Fold a batch into the state; state and position are durable when this returns."""
        ...
