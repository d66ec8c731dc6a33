"""`foretick new-epoch`: all topics again, with more partitions."""

from typing import Annotated

import typer

from stack.terminal import here, quiet, terminal


def new_epoch(
    prefix: Annotated[str, typer.Argument(help="Prefix of the new topics: e2- makes e2-stock-data and so on.")],
    skip_dead: Annotated[
        bool, typer.Option("--skip-dead", help="Leave out all that cannot be read, not only settled dead letters.")
    ] = False,
    skip_damaged: Annotated[
        bool,
        typer.Option("--skip-damaged", help="Leave out what the disk has changed."),
    ] = False,
) -> None:
    """Copy every topic to topics of another prefix: how a topic gets more partitions, or is rid of damage.

    The new topics have the partitions that contracts/topics.py says now. Each symbol's events keep their order, their
    bytes and their stamps; the copy is read back and compared. The old topics stay as they were: lineage of earlier
    forecasts names their offsets. Nothing may write meanwhile. docs/how-to/back-up.md has the whole procedure.

    Example: `foretick new-epoch e2-`
    """
    here()
    from stack.commands.epoch import copy_epoch
    from streaming.epochs import Skip
    from streaming.settings import StreamSettings

    quiet()
    raise typer.Exit(copy_epoch(StreamSettings(), prefix, Skip(skip_dead, skip_damaged), terminal()))
