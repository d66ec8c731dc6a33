"""A broker's folder, written by hand in the format that Kafka documents."""

import struct
from collections.abc import Sequence
from pathlib import Path

from google_crc32c import value as crc32c


def batch(
    base: int, records: int, payload: bytes = b"x" * 40, producer: int | None = None, ends: bool = False
) -> bytes:
    """Return a batch of records, of which only the head is as a broker's: nothing here unpacks records.

    Args:
        producer: in whose transaction it is.
        ends: whether it is the end of that.
    """
    attributes, number = (0, -1) if producer is None else (0x30 if ends else 0x10, producer)
    checked = struct.pack(">hiqqqhii", attributes, records - 1, 1, 2, number, -1, -1, records) + payload
    rest = struct.pack(">ibI", 0, 2, crc32c(checked)) + checked
    return struct.pack(">qi", base, len(rest)) + rest


class Broker:
    """A broker's folder in a home."""

    def __init__(self, home: Path, cluster: str = "one") -> None:
        self.folder = home / "data" / "kafka"
        self.folder.mkdir(parents=True)
        (self.folder / "meta.properties").write_text(f"#\ncluster.id={cluster}\nnode.id=1\n")
        self.ends: dict[tuple[str, int], int] = {}

    def segment(self, topic: str, partition: int, base: int = 0) -> Path:
        """Return the file of a segment; its folder is there."""
        folder = self.folder / f"{topic}-{partition}"
        folder.mkdir(exist_ok=True)
        (folder / "partition.metadata").write_text("topic_id: x\n")
        return folder / f"{base:020}.log"

    def write(
        self, topic: str, partition: int, sizes: Sequence[int], base: int = 0, payload: bytes = b"x" * 40
    ) -> Path:
        """Append a batch of each size, as acknowledged; return the segment's file."""
        file = self.segment(topic, partition)
        with file.open("ab") as target:
            for records in sizes:
                following = self.ends.get((topic, partition), 0)
                target.write(batch(following, records, payload))
                self.ends[topic, partition] = following + records
        return file
