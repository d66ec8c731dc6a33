"""Print how far each read model has come, by topic or by partition."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_COUNTS = ("applied", "fenced", "dead")  # together: what was read
_NUMBERS = (*_COUNTS, "partition", "position", "end", "lag", "behind", "moved", "gen.")


def print_read_models(found: dict[str, Any] | None, console: Console, *, partitions: bool = False) -> None:
    """Print position, end, lag in events and seconds, age of the last move, counts and generation.

    Args:
        found: the projections' status; None: they do not answer.
        partitions: one row for each partition instead of one for each topic.
    """
    if found is None:
        console.print("The projections do not answer: no lag is known.", style="yellow")
        return
    title = "Read models: lag in events, how long the oldest of these waits, when the position moved last"
    table = Table(title=title, title_justify="left")
    places = ("partition", "position", "end")
    for column in ("read model", "topic", *(places if partitions else ()), "lag", "behind", "moved", *_COUNTS, "gen."):
        numeric = column in _NUMBERS
        table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for model in found["read_models"]:
        for topic, rows in _by_topic(model["partitions"]).items():
            if not partitions:
                table.add_row(model["name"], topic, *_cells(rows))
                continue
            for row in rows:
                names = (model["name"], topic) if row is rows[0] else ("", "")
                table.add_row(*names, *(str(row[name]) for name in places), *_cells([row]))
            table.add_section()
    console.print(table)
    for model in found["read_models"]:
        if not model["partitions"]:
            console.print(f"{model['name']}: no partition is assigned to it yet", style="yellow")
        if model["waiting_for"]:
            console.print(f"{model['name']} waits: {model['waiting_for']}", style="yellow")
        if model["paused_for_rebuild"]:
            console.print(f"{model['name']} is paused while a rebuild takes over", style="yellow")


def _cells(rows: Sequence[Mapping[str, Any]]) -> list[str | Text]:
    lag = sum(row["lag"] for row in rows)
    behind = max(row["lag_seconds"] for row in rows)
    dead = sum(row["dead"] for row in rows)
    return [
        Text(str(lag), "yellow" if lag else ""),
        span(behind) if lag else "",
        span(min(row["age_seconds"] for row in rows)),
        *(str(sum(row[count] for row in rows)) for count in _COUNTS[:-1]),
        Text(str(dead), "red" if dead else ""),
        str(max(row["generation"] for row in rows)),
    ]


def span(seconds: float) -> str:
    """Write a length of time shortly: `0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    for size, name in ((86400, "d"), (3600, "h")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds / 60:.0f} min"


def _by_topic(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    topics: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        topics[row["topic"]].append(row)
    return topics
