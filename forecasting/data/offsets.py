"""Offset vectors: the name of a part of the log, of which the same events can be read again at any time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from contracts.parts import OffsetRange, TrainingData


@dataclass(frozen=True, slots=True)
class OffsetVector:
    """Ranges by topic and partition, from the first offset (inclusive) to the next one (exclusive)."""

    ranges: Mapping[str, Mapping[int, tuple[int, int]]]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read `{"stock-data": {"0": [0, 812], ...}, ...}`.

        Raises:
            ValueError: the text is no offset vector.
        """
        try:
            found = json.loads(text)
            ranges = {
                str(topic): {int(partition): (int(start), int(end)) for partition, (start, end) in of_topic.items()}
                for topic, of_topic in found.items()
            }
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(
                f'not an offset vector: {text[:80]!r}; it reads {{"stock-data": {{"0": [0, 812]}}}}'
            ) from error
        for topic, of_topic in ranges.items():
            for partition, (start, end) in of_topic.items():
                if not 0 <= start <= end:
                    raise ValueError(f"{topic}[{partition}]: offsets {start} to {end} are no range")
        return cls(ranges)

    def to_json(self) -> str:
        """Write the vector on one line, always the same way."""
        plain = {
            topic: {str(partition): list(of_topic[partition]) for partition in sorted(of_topic)}
            for topic, of_topic in sorted(self.ranges.items())
        }
        return json.dumps(plain, separators=(",", ":"))

    def inputs(self) -> tuple[OffsetRange, ...]:
        """Return the ranges that hold anything, as events name them (both ends inclusive)."""
        return tuple(
            OffsetRange(topic=topic, partition=partition, from_offset=start, to_offset=end - 1)
            for topic, of_topic in sorted(self.ranges.items())
            for partition, (start, end) in sorted(of_topic.items())
            if end > start
        )


@dataclass(frozen=True, slots=True)
class DataName:
    """The name of a training set: what makes it, and what its bytes hash to.

    Attributes:
        sha256: of the frame's canonical bytes.
        schema_ids: of the events read.
        calendar: the exchange calendar, with its version.
    """

    vector: OffsetVector
    sha256: str
    bars: int
    schema_ids: tuple[int, ...]
    calendar: str
    code_version: str

    def training_data(self) -> TrainingData:
        """Return how a promotion names this data."""
        return TrainingData(inputs=self.vector.inputs(), sha256=self.sha256, bars=self.bars)
