"""`foretick rebuild`: read models built again, and as they were."""

from pathlib import Path
from typing import Annotated

import typer

from stack.terminal import here, quiet, terminal


def rebuild(
    names: Annotated[list[str] | None, typer.Argument(metavar="READ_MODEL", help="None named: all.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every read model, as without a name.")] = False,
    verify_only: Annotated[bool, typer.Option("--verify-only", help="Compare, and change nothing.")] = False,
    accept_difference: Annotated[
        bool, typer.Option("--accept-difference", help="Take over, even if it differs.")
    ] = False,
    skip_dead: Annotated[
        bool, typer.Option("--skip-dead", help="Pass over all that cannot be read, not only settled dead letters.")
    ] = False,
    as_of: Annotated[
        str, typer.Option(metavar="OFFSETS|TIME", help="Build the state of then and describe it; never take over.")
    ] = "",
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --as-of: write its documents as JSON lines.")
    ] = None,
    expect: Annotated[str, typer.Option(metavar="HASH", help="With --as-of: fail unless its hash is this one.")] = "",
) -> None:
    """Build read models again from the log, beside the live ones, and compare them; take over with --accept-difference.

    The live read model goes on meanwhile; an equal one need not be replaced. The exit code is 0 when all were the same,
    or took over. --verify-only without names also proves the states that services have saved (`state/` in the home).

    --as-of takes a time (what messages stamped at or before it say), next offsets as JSON, or a file that holds such,
    a snapshot's manifest.json too. The same offsets give the same hash, whenever they are built.

    Examples:

    - `foretick rebuild --verify-only`
    - `foretick rebuild stock_data`
    - `foretick rebuild symbols --accept-difference` after a change of that projection
    - `foretick rebuild stock_data --as-of 2012-01-03T21:00:00Z --export then.jsonl`
    - `foretick rebuild stock_data --as-of '{"stock-data": {"0": 120, "3": 80}}' --expect 5f1d...`
    """
    here()
    from projections.read_models.table import READ_MODELS
    from stack.commands.rebuild import print_state_as_of as look_back
    from stack.commands.rebuild import rebuild_all, verify_saved_states
    from streaming.gc_tuning import collect_rarely

    quiet()
    collect_rarely()
    known = [model.name for model in READ_MODELS]
    if unknown := [name for name in names or () if name not in known]:
        typer.echo(f"There is no read model {', '.join(unknown)}; there are {', '.join(known)}", err=True)
        raise typer.Exit(2)
    if names and everything:
        typer.echo("Name read models, or say --all.", err=True)
        raise typer.Exit(2)
    if as_of and (verify_only or accept_difference):
        typer.echo("--as-of neither compares with the live read model nor takes over.", err=True)
        raise typer.Exit(2)
    if (export or expect) and not (as_of and len(names or ()) == 1):
        typer.echo("--export and --expect go with --as-of and exactly one read model.", err=True)
        raise typer.Exit(2)
    if as_of:
        raise typer.Exit(
            look_back(names or known, as_of, terminal(), export=export, expect=expect, skip_dead=skip_dead)
        )
    code = rebuild_all(
        names or known,
        terminal(),
        verify_only=verify_only,
        accept_difference=accept_difference,
        skip_dead=skip_dead,
    )
    if verify_only and not names:
        code = max(code, verify_saved_states(terminal()))
    raise typer.Exit(code)
