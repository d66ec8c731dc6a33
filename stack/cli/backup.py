"""`foretick backup` and `foretick restore`: what a disk may lose, and how it is made good."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from stack.terminal import Terminal, here, quiet, say, terminal

_FOLDER = typer.Argument(metavar="DIR", help="Folder of the backup, on another disk.", file_okay=False)


def backup(
    folder: Annotated[Path, _FOLDER],
    check: Annotated[bool, typer.Option("--check", help="Back nothing up: read through what is in DIR.")] = False,
) -> None:
    """Back up all that cannot be derived, while everything runs.

    The log, the registry's schemas with their ids, MLflow, Airflow's runs, the market's clock, secrets and settings are
    kept. Read models and snapshots are not: they are folded from the log. A second backup into the same DIR reads and
    writes only what is new; until it is done, DIR holds the earlier one. Each batch of the log is held against its
    checksum: damage is told, and not backed up.

    Examples:

    - `foretick backup /mnt/backups/foretick`
    - `foretick backup --check /mnt/backups/foretick`
    """
    from stack.run.backup.manifest import BackupManifest

    layout, target = here(), folder.expanduser().absolute()

    def work(report: Callable[[int, int], None]) -> BackupManifest:
        from stack.run.backup.making import back_up
        from stack.run.backup.restoring import check_backup as read_through

        return read_through(target, report) if check else back_up(layout, target, report)

    console = terminal()
    with _failures(), _progress(console) as report:
        manifest = work(report)
    size = sum(piece.size for piece in manifest.pieces().values())
    offsets = sum(sum(ends.values()) for ends in manifest.ends.values())
    console.print(
        f"{target} is whole: {offsets} offsets as of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC, {size / 1e6:.1f} MB.\n"
        f"Into an empty home: FORETICK_HOME=... foretick restore {target}"
    )


def restore(folder: Annotated[Path, _FOLDER]) -> None:
    """Make an empty FORETICK_HOME what a backup holds.

    Offsets, schema ids, model versions and topics are what they were. The read models are folded from the log by the
    next `foretick up`.

    Examples:

    - `foretick restore /mnt/backups/foretick`
    - `FORETICK_HOME=/tmp/second FORETICK_PORT_OFFSET=100 foretick restore /mnt/backups/foretick`
    """
    layout, console = here(), terminal()
    with _failures(), _progress(console) as report:
        from stack.run.backup.restoring import SETTINGS
        from stack.run.backup.restoring import restore_home as bring_back

        manifest = bring_back(layout, folder.expanduser().absolute(), console, report)
    console.print(
        f"{layout.home} is as it was at {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC. "
        f"The settings of that time are in {layout.home / SETTINGS}: {', '.join(manifest.settings) or 'none'}.\n"
        "Next: foretick up. To prove it: foretick rebuild --all --verify-only, and foretick reproduce FORECAST_ID"
    )


@contextmanager
def _failures() -> Iterator[None]:
    """End the command with a line for what the user can do something about."""
    from stack.cli.failures import EXPECTED
    from stack.run.backup.repository import BackupRefused
    from stack.services.supervisor import SupervisorGone
    from streaming.damage import LogUnsound
    from streaming.errors import ServerAway
    from streaming.restoring import RestoreRefused

    quiet()
    try:
        yield
    except SupervisorGone as problem:
        terminal(stderr=True).print(f"Foretick does not run: {problem}. `foretick up` starts it.", style="red")
        raise typer.Exit(1) from None
    except (BackupRefused, ServerAway, LogUnsound, RestoreRefused, OSError, *EXPECTED) as problem:
        say(problem, terminal(stderr=True))
        raise typer.Exit(1) from None


@contextmanager
def _progress(console: Terminal) -> Iterator[Callable[[int, int], None]]:
    """Show a bar of bytes; yield what moves it."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
