"""The bytes of a models' input, the same wherever it is made: lineages name it by their SHA-256."""

from collections.abc import Iterable, Sequence


def canonical_frame_bytes(columns: Sequence[str], rows: Iterable[Sequence[str | float]]) -> bytes:
    """Write a frame as comma-separated text: numbers as their shortest exact decimals.

    Args:
        columns: `unique_id`, `ds`, then the names of the numbers.
        rows: series, time in UTC to the microsecond (`2012-01-03T21:00:00.000000`), numbers; by series and time.
    """
    lines = [",".join([str(row[0]), str(row[1]), *map(repr, row[2:])]) + "\n" for row in rows]
    return canonical_head(columns) + "".join(lines).encode()


def canonical_head(columns: Sequence[str]) -> bytes:
    """Write the first line of `canonical_frame_bytes`."""
    return (",".join(columns) + "\n").encode()
