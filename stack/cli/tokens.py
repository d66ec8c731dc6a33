"""`foretick token`: tokens for the gateway."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from stack.terminal import terminal

tokens = typer.Typer(help="Make tokens for the gateway.", no_args_is_help=True)


@tokens.command()
def new(
    name: Annotated[str, typer.Option(metavar="NAME", help="Who it is for: shown in logs.")],
    scopes: Annotated[str, typer.Option(metavar="LIST", help="What it may: read, predict, or both.")] = "read,predict",
    days: Annotated[int | None, typer.Option(min=1, help="Days for which it is good; else for ever.")] = None,
) -> None:
    """Print a new token, once, and the line that the gateway keeps of it: its hash.

    Put the line into the file that FORETICK_TOKENS_FILE names, which the gateway reads again by itself, or into
    FORETICK_TOKENS (a JSON list) and start it again. Give the token to its user: it is sent as `Authorization: Bearer
    TOKEN`, or typed in at /sign-in.

    Examples:

    - `foretick token new --name alice`
    - `foretick token new --name dashboard --scopes read --days 90`
    """
    from gateway.access.tokens import new_token, token_entry

    console = terminal()
    token = new_token()
    try:
        until = datetime.now(UTC).date() + timedelta(days=days) if days else None
        line = token_entry(name, {scope.strip() for scope in scopes.split(",") if scope.strip()}, token, until)
    except (ValueError, OverflowError):
        console.print("a name is letters, digits and . _ @ -; scopes are read and predict", style="red")
        raise typer.Exit(2) from None
    console.print(f"token, shown this once:  {token}", soft_wrap=True)
    console.print(f"line for the gateway:    {line}", soft_wrap=True)
