"""What an operator is told of each read model and partition, as JSON and as metrics."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from contracts.ids import stamp
from projections.folds import Document
from streaming.lags import LoopState
from streaming.records import Partition

GAUGES = {
    "position": "Next offset to read.",
    "end": "Next offset of the log.",
    "lag": "Events in the log that are not taken in yet.",
    "lag_seconds": "Seconds that the oldest of these has been waiting.",
    "age_seconds": "Seconds since the position moved last.",
    "generation": "Generation of the writers; it rises with each rebuild.",
}
COUNTERS = {
    "read": "Messages read.",
    "applied": "Events that changed a document.",
    "fenced": "Events held back by the offset fence: repetitions.",
    "dead": "Messages that could not be read.",
}


def partition_rows(
    held: Mapping[Partition, Document], state: LoopState, now: float | None = None
) -> list[dict[str, Any]]:
    """Return one row for each partition: position, end, lag, age and counts.

    Args:
        held: checkpoints as last written.
        now: seconds since the epoch; None: by this machine's clock.
    """
    moment = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    rows = []
    for (topic, partition), row in sorted(held.items()):
        end = max(state.ends.get((topic, partition), 0), row["next_offset"])
        seconds_behind = state.seconds_behind((topic, partition), time.monotonic()) if end > row["next_offset"] else 0.0
        rows.append(
            {
                "topic": topic,
                "partition": partition,
                "position": row["next_offset"],
                "end": end,
                "lag": end - row["next_offset"],
                "lag_seconds": round(seconds_behind, 3),
                "updated_at": stamp(row["updated_at"]),
                "age_seconds": max(0.0, (moment - row["updated_at"]).total_seconds()),
                "generation": row["generation"],
                **{name: row[name] for name in COUNTERS},
            }
        )
    return rows


def samples(status: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str, str], float]]:
    """Yield (metric, (read model, topic, partition), value) for all that a service's status tells."""
    for model in status["read_models"]:
        for row in model["partitions"]:
            labels = (model["name"], row["topic"], str(row["partition"]))
            for name in (*GAUGES, *COUNTERS):
                yield name, labels, float(row[name])
