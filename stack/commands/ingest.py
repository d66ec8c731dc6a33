"""Fetch once, and show what came: published, or only shown."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from producers.ledger import Ledger
from producers.main import Ingested, ingest_once
from producers.preview import Preview, preview
from producers.settings import ProducerSettings
from streaming.errors import ServerAway

_SHOWN = 20  # refusals listed for a symbol
_MINUTES = "%Y-%m-%d %H:%M"


def ingest_and_show(settings: ProducerSettings, console: Console, since: datetime | None = None) -> int:
    """Read every symbol and publish what is new; return 1 if the vendor failed for any."""
    columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        tasks = {symbol: shown.add_task(symbol, total=None) for symbol in settings.symbols}
        found = ingest_once(
            settings,
            lambda symbol, done, total: shown.update(tasks[symbol], completed=done, total=max(total, 1)),
            since=since,
        )
    console.print(_table(found))
    return _failures(found, console)


def dry_run(settings: ProducerSettings, console: Console, since: datetime | None = None) -> int:
    """Show what `ingest` would publish and refuse; return 1 if the vendor failed for any symbol."""
    ledger = Ledger(settings)
    try:
        try:
            with console.status("Reading what the log holds"):
                ledger.fold_log()
        except ServerAway as away:
            console.print(f"{away}\nNo log to compare with: all that is sound counts as new.", style="yellow")
        found = []
        with console.status("") as status:
            looks = preview(settings, ledger, since)
            for number, symbol in enumerate(settings.symbols, start=1):
                status.update(f"Asking {settings.source} for {symbol} ({number} of {len(settings.symbols)})")
                found.append(next(looks))
    finally:
        ledger.close()
    console.print(_preview_table(found))
    for row in found:
        for refusal in row.refused[:_SHOWN]:
            console.print(f"refused {refusal.symbol} {refusal.at}: {refusal.reason}")
        if len(row.refused) > _SHOWN:
            console.print(f"... and {len(row.refused) - _SHOWN} more of {row.symbol}")
    console.print("Nothing was published: this was a dry run.")
    return _failures(found, console)


def _failures(found: Sequence[Ingested | Preview], console: Console) -> int:
    """Tell what the vendor failed at; return the exit code."""
    failed = [row for row in found if row.error]
    for row in failed:
        console.print(f"failed {row.symbol}: {row.error}", style="red")
    return 1 if failed else 0


def _preview_table(found: Sequence[Preview]) -> Table:
    counted = ("actions", "in the log", "refused")
    table = _empty("symbol", "new bars", "corrections", "first close, UTC", "last close, UTC", "price", *counted)
    table.title = "Would be published"
    for row in found:
        first, last = (row.bars[0], row.bars[-1]) if row.bars else (None, None)
        corrections = sum(bar.revision > 0 for bar in row.bars)
        table.add_row(
            row.symbol,
            str(len(row.bars) - corrections),
            str(corrections),
            f"{first.closed_at:{_MINUTES}}" if first else "",
            f"{last.closed_at:{_MINUTES}}" if last else "",
            f"{last.close:g} {last.currency}" if last else "",
            str(len(row.actions)),
            str(row.held),
            str(len(row.refused)),
        )
    return table


def _table(found: Sequence[Ingested]) -> Table:
    table = _empty("symbol", "bars", "actions", "refused")
    table.title = "Published now; what the log held already is not published again"
    for row in found:
        table.add_row(row.symbol, str(row.bars), str(row.actions), str(row.refused))
    return table


def _empty(*columns: str) -> Table:
    table = Table(title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column == "symbol" else "right", no_wrap=True)
    return table
