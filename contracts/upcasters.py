"""What an older version meant and Avro's resolution cannot say: one pure function for each such version.

Resolution fills what an older writer did not know with null.  Where its events mean something definite instead, or say
the same thing otherwise than later ones, the function of that version says it in the terms of the next one.  A record
goes through the functions of its own version and of all later ones, after Avro has given it the newest shape.
"""

from collections.abc import Callable, Mapping
from typing import Any

AvroRecord = dict[str, Any]
Upcaster = Callable[[AvroRecord], AvroRecord]

# By event and version: what that version meant, as the next one says it.  None of ours has needed one so far.
UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}


def upcaster_from(event: str, version: int) -> Upcaster | None:
    """Return what to do with the records of a version, oldest step first; None where nothing is to be done."""
    steps = [step for (name, number), step in sorted(UPCASTERS.items()) if name == event and number >= version]
    if not steps:
        return None

    def upcast(record: AvroRecord) -> AvroRecord:
        for step in steps:
            record = step(record)
        return record

    return upcast
