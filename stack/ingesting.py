"""Fetch and publish once, and show what came."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from producers.main import Ingested, ingest_once
from producers.settings import ProducerSettings


def ingest(settings: ProducerSettings, console: Console) -> int:
    """Read the whole history of every symbol and publish what is new; return 1 if the vendor failed for any."""
    columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        tasks = {symbol: shown.add_task(symbol, total=None) for symbol in settings.symbols}
        found = ingest_once(
            settings, lambda symbol, done, total: shown.update(tasks[symbol], completed=done, total=max(total, 1))
        )
    console.print(_table(found))
    return 1 if any(row.error for row in found) else 0


def _table(found: list[Ingested]) -> Table:
    table = Table(title="Published now; what the log held already is not published again", title_justify="left")
    for column in ("symbol", "bars", "actions", "refused", "vendor's error"):
        table.add_column(column, justify="right" if column in ("bars", "actions", "refused") else "left")
    for row in found:
        table.add_row(row.symbol, str(row.bars), str(row.actions), str(row.refused), row.error or "")
    return table
