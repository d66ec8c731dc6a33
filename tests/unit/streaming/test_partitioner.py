"""Partitions of keys are those that Kafka's Java clients choose."""

import pytest

from streaming.partitioner import partition_of

ALL = 1 << 31  # partitions: of so many, the number is the hash itself, without its sign


@pytest.mark.parametrize(
    ("key", "hashed"),  # from UtilsTest of Apache Kafka
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_partition_is_by_murmur2_as_kafka_has_it(key: str, hashed: int) -> None:
    assert partition_of(key, ALL) == hashed & 0x7FFFFFFF
    assert partition_of(key, 6) == (hashed & 0x7FFFFFFF) % 6
