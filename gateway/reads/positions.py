"""Read your writes: wait, for a bounded time, until the read models have come as far as a caller has seen."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import orjson

from gateway.problems import Problem
from gateway.schemas.responses import Position

LOOK_EVERY = 0.1  # seconds

AskPosition = Callable[[], Awaitable[Position]]


def parse_position(text: str | None) -> dict[str, dict[str, int]]:
    """Read `{topic: {partition: next offset}}`, as answers carry it; raises the problem 422."""
    if not text:
        return {}
    try:
        wanted = orjson.loads(text)
        for partitions in wanted.values():
            for partition, offset in partitions.items():
                if not partition.isdecimal() or type(offset) is not int or offset < 0:
                    raise ValueError(f"{partition}: {offset} is no offset of a partition")
    except (ValueError, AttributeError) as error:
        detail = f'min_position is JSON as in `position`, such as {{"stock-data":{{"0":1207}}}}: {error}'
        raise Problem(422, "invalid-position", detail) from None
    return dict(wanted)


def missing_positions(position: Position, wanted: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Name the partitions in which a position is not as far as wanted."""
    return [
        f"{topic}[{partition}] is at {await_position} of {offset}"
        for topic, partitions in wanted.items()
        for partition, offset in partitions.items()
        if (await_position := position.get(topic, {}).get(partition, 0)) < offset
    ]


async def await_position(ask: AskPosition, wanted: Mapping[str, Mapping[str, int]], seconds: float) -> Position:
    """Return the read models' position once it is as far as wanted.

    Raises the problem 422 for topics that the answer does not come from, 503 if it takes longer than `seconds`.
    """
    position = await ask()
    if position and (strange := set(wanted) - set(position)):
        detail = f"This answer comes from {', '.join(sorted(position))}, not from {', '.join(sorted(strange))}."
        raise Problem(422, "invalid-position", f"min_position: {detail}")
    deadline = time.monotonic() + seconds
    while missing := missing_positions(position, wanted):
        if time.monotonic() >= deadline:
            detail = f"The read models are not there yet after {seconds:g} s: {'; '.join(missing[:3])}."
            raise Problem(503, "position-not-reached", detail, retry_after=1)
        await asyncio.sleep(LOOK_EVERY)
        position = await ask()
    return position
