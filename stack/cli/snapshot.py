"""`foretick snapshot`: snapshots of bars."""

from pathlib import Path
from typing import Annotated

import typer

from stack.terminal import here, quiet, terminal

snapshots = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown")


@snapshots.callback()
def snapshot(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to; default: FORETICK_SNAPSHOTS.")] = None,
    at: Annotated[
        str, typer.Option(metavar="OFFSETS|TIME", help="As of then, as for `foretick rebuild --as-of`; default: now.")
    ] = "",
) -> None:
    """Write the newest bars of each symbol, interval and year as CSV and Parquet, and a manifest.

    The same offsets give the same CSV. The folder's earlier snapshot stays whole until the new one is, and what is
    as it was is not written again.

    Examples:

    - `foretick snapshot`
    - `foretick snapshot --out backup/`
    - `foretick snapshot --out then/ --at 2012-01-03T21:00:00Z`
    - `foretick snapshot verify`
    """
    if context.invoked_subcommand:
        return
    here()
    from stack.commands.snapshots import write_snapshots

    quiet()
    raise typer.Exit(write_snapshots(out, at, terminal()))


@snapshots.command()
def verify(
    folder: Annotated[Path | None, typer.Argument(help="Default: FORETICK_SNAPSHOTS.")] = None,
    log: Annotated[
        bool, typer.Option("--log", help="Build it again from the log, too, and compare the bytes.")
    ] = False,
) -> None:
    """Compare a snapshot with its manifest: rows, sizes, SHA-256; tell what is torn, altered, missing or strange.

    The exit code is 0 when it is whole, else 1. Without --log no server is needed.

    Examples:

    - `foretick snapshot verify`
    - `foretick snapshot verify backup/ --log`
    """
    here()
    from stack.commands.snapshots import verify_snapshots

    quiet()
    raise typer.Exit(verify_snapshots(folder, log, terminal()))
