"""`foretick contracts`: the events' schemas."""

from typing import Annotated, cast

import typer
from typer.core import TyperGroup

from stack.terminal import here, quiet, terminal

contracts = typer.Typer(help="Check, compare, release and register the events' schemas.", no_args_is_help=True)

EventName = Annotated[str, typer.Argument(metavar="EVENT", help="Such as BarClosed, or its topic: stock-data.")]


@contracts.command()
def check(
    context: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Leave the registry out.")] = False,
) -> None:
    """Compare each schema with every other version and with the live registry; fail on a change that breaks a rule.

    The registry is compared with the log, too: it must know every schema id that messages of ours have.

    So do released files that were changed, golden bytes that read otherwise and generated files that are out of date.
    Each fault is told with the field, the rule, and what to do instead.

    Examples:

    - `foretick contracts check`
    - `foretick contracts check --offline`
    """
    here()
    from stack.commands.contracts import check_contracts
    from streaming.settings import StreamSettings

    raise typer.Exit(check_contracts(StreamSettings(), _app(context), offline, terminal()))


@contracts.command()
def diff(
    event: EventName,
    older: Annotated[int | None, typer.Argument(metavar="[FROM]", help="Default: the one before TO.")] = None,
    newer: Annotated[int | None, typer.Argument(metavar="[TO]", help="Default: the newest.")] = None,
) -> None:
    """Show what changed between two versions of an event's schema, and what that means for readers and writers.

    Examples:

    - `foretick contracts diff BarClosed`
    - `foretick contracts diff BarClosed 1 2`
    """
    from stack.commands.contracts import NoSuch, diff_versions

    try:
        code = diff_versions(event, older, newer, terminal())
    except NoSuch as unknown:
        terminal().print(str(unknown), style="red")
        code = 2
    raise typer.Exit(code)


@contracts.command()
def register() -> None:
    """Register every schema version with the compatibility level of its subject; doing it again changes nothing.

    Example: `foretick contracts register`
    """
    here()
    from stack.commands.contracts import register_versions
    from streaming.settings import StreamSettings

    raise typer.Exit(register_versions(StreamSettings(), terminal()))


@contracts.command()
def restore() -> None:
    """Give a registry that has lost its schemas those of this repository, under the ids that the log uses.

    The log is read once; a message's bytes tell which version it was written with. `foretick up` does the same when it
    finds the registry empty beside a log that is not.

    Example: `foretick contracts restore`
    """
    here()
    from stack.commands.contracts import restore_schemas
    from streaming.settings import StreamSettings

    quiet()
    raise typer.Exit(restore_schemas(StreamSettings(), terminal()))


@contracts.command("new-version")
def new_version(context: typer.Context, event: EventName) -> None:
    """Begin the next version of an event's schema; run again after editing it, release it.

    The first run copies the newest `.avsc` to the next number. The second one judges what you made of it: it says what
    is missing, or records golden bytes and checksum, and from then on the file never changes.

    Example: `foretick contracts new-version BarClosed`
    """
    from stack.commands.contracts import NoSuch, begin_or_release

    try:
        code = begin_or_release(event, _app(context), terminal())
    except NoSuch as unknown:
        terminal().print(str(unknown), style="red")
        code = 2
    raise typer.Exit(code)


@contracts.command()
def generate(context: typer.Context) -> None:
    """Write what is made from the code: the web app's types, the AsyncAPI document, the reference pages.

    Example: `foretick contracts generate`
    """
    from stack.commands.contracts import generate_files

    raise typer.Exit(generate_files(_app(context), terminal()))


def _app(context: typer.Context) -> TyperGroup:
    """Return the whole command: its reference is one of the files that are generated."""
    return cast(TyperGroup, context.find_root().command)
