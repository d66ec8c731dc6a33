"""Wait until history has flowed in."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from contracts.topics import STOCK_DATA
from stack.layout import Layout
from stack.run.airflow_api import WorkflowFailed
from stack.services.http import get_json, status_of, waiting_reasons
from stack.terminal import DONE
from streaming.errors import ServerAway
from streaming.reader import watermarks

_PERIOD = 0.5
_STALLED = 60.0  # seconds without a single bar


def await_backfill(layout: Layout, console: Console) -> None:
    """Wait until every symbol was read and, of the replay exchange, the topic holds every bar it showed by then.

    A market that runs shows more meanwhile: waiting for these, too, might never end.

    Raises:
        WorkflowFailed: nothing has come in for a long while; the text says why.
    """
    settings = layout.stream()
    columns = (TextColumn("  history flows in"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("backfill", total=None)
        bars, since = -1, time.monotonic()
        expected: int | None = None
        reasons = ["nothing was heard of the producers yet"]
        while True:
            try:
                if reasons:
                    reasons = waiting_reasons(layout.url("producers", "/health/ready"))
                    expected = _expected(layout)
                now = sum(high for _, high in watermarks(settings, STOCK_DATA).values())
            except ServerAway as away:  # its supervisor brings it back
                expected, reasons, now = None, [str(away)], bars
            if now != bars:
                bars, since = now, time.monotonic()
            shown.update(task, completed=bars if expected is None else min(bars, expected), total=expected)
            if not reasons and (expected is None or bars >= expected):
                break
            if time.monotonic() - since > _STALLED:
                raise WorkflowFailed(
                    f"History stopped at {bars} bars{f' of {expected}' if expected else ''}: "
                    f"{'; '.join(reasons) or 'no reason is given'}. The producers' log: {layout.log('producers')}"
                )
            time.sleep(_PERIOD)
    console.print(" ", DONE, f"{bars if expected is None else expected} bars are in Kafka")


def _expected(layout: Layout) -> int | None:
    """Return how many bars the replay exchange shows of the symbols that are followed; None of another vendor."""
    if not layout.replay:
        return None
    followed = status_of(layout.url("producers", "/status"))
    symbols = {row["symbol"] for row in followed["symbols"]} if followed else set()
    listings = get_json(layout.url("exchange", "/symbols"))
    return sum(int(listing["visible"]) for listing in listings if listing["symbol"] in symbols)
