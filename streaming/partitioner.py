"""The partition of a key, as Kafka's Java clients and our publishers choose it.

Source: `Utils.murmur2` and `BuiltInPartitioner` of Apache Kafka; MurmurHash2 is Austin Appleby's.
"""

_MIX, _SEED, _BITS = 0x5BD1E995, 0x9747B28C, 0xFFFFFFFF


def partition_of(key: str, partitions: int) -> int:
    """Return the partition that events of a key go to, of a topic that has so many."""
    return (_murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    found = _SEED ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * _MIX & _BITS
        found = (found * _MIX ^ (word ^ word >> 24) * _MIX) & _BITS
    if rest := data[whole:]:
        found = (found ^ int.from_bytes(rest, "little")) * _MIX & _BITS
    found = (found ^ found >> 13) * _MIX & _BITS
    return found ^ found >> 15
