"""`foretick dlq`: messages that nobody could read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from stack.terminal import here, quiet, say, terminal

dlq = typer.Typer(help="Look at messages that nobody could read (dead letters), and settle them.", no_args_is_help=True)

TopicNames = Annotated[list[str] | None, typer.Argument(metavar="LETTER", help="As `list` names it: stock-data/17.")]


@contextmanager
def _told() -> Iterator[None]:
    """Tell failures that a user can do something about in words."""
    from stack.commands.topics import NoSuchTopic
    from streaming.damage import LogUnsound
    from streaming.dead_letters import UnknownLetter
    from streaming.errors import ServerAway
    from streaming.publisher import PublishFailed
    from streaming.redriving import CannotSettle

    quiet()
    try:
        yield
    except (UnknownLetter, NoSuchTopic, CannotSettle, ServerAway, LogUnsound, PublishFailed, OSError) as problem:
        say(problem, terminal(stderr=True))
        raise typer.Exit(1) from None


@dlq.command("list")
def list_letters(
    topic: Annotated[str, typer.Argument(help="Only this topic's.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Settled ones, too.")] = False,
) -> None:
    """List the dead letters on which nothing was decided yet: where each stood, and why nobody could read it.

    "readable now" tells whether a redrive would work: the schema was registered since, say.

    Examples:

    - `foretick dlq list`
    - `foretick dlq list stock-data --all`
    """
    here()
    from stack.commands.dead_letters import dead_letter_topics, print_list
    from streaming.settings import StreamSettings

    with _told():
        print_list(StreamSettings(), dead_letter_topics(topic), everything, terminal())


@dlq.command()
def show(
    letter: Annotated[str, typer.Argument(help="As `list` names it: stock-data/17.")],
    json: Annotated[bool, typer.Option("--json", help="Only the event, as far as it can be read: to mend it.")] = False,
) -> None:
    """Show one dead letter: coordinates, reason, headers, bytes, and the event as far as it can be read.

    Examples:

    - `foretick dlq show stock-data/17`
    - `foretick dlq show stock-data/17 --json > mended.json`
    """
    here()
    from stack.commands.dead_letters import print_event, print_letter
    from streaming.dead_letters import DeadLetters
    from streaming.settings import StreamSettings

    with _told():
        settings = StreamSettings()
        found = DeadLetters(settings).named(letter)
        (print_event if json else print_letter)(settings, found, terminal())


@dlq.command()
def redrive(
    letters: TopicNames = None,
    event: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Publish this event (JSON) in place of the letter's bytes.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every open letter that can be read now.")] = False,
) -> None:
    """Publish a dead letter's event once more, at the end of its topic, and settle the letter.

    For letters whose cause is mended: a schema that was not registered, say. Bytes that can never be read are
    replaced by the event that they should have been. The original message stays where it is and is passed over
    from then on, so a rebuild gives what the live read models hold.

    Examples:

    - `foretick dlq redrive stock-data/17`
    - `foretick dlq redrive stock-data/17 --event mended.json`
    - `foretick dlq redrive --all`
    """
    here()
    from stack.commands.dead_letters import redrive_letters as publish
    from streaming.settings import StreamSettings

    quiet()
    if bool(letters) == everything or (event and len(letters or ()) != 1):
        typer.echo("Name the letters, or say --all; --event goes with exactly one letter.", err=True)
        raise typer.Exit(2)
    with _told():
        code = publish(StreamSettings(), letters or [], event, terminal())
    raise typer.Exit(code)


@dlq.command()
def drop(
    letters: Annotated[list[str], typer.Argument(metavar="LETTER...", help="As `list` names them: stock-data/17.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the log.")],
) -> None:
    """Decide that dead letters are never to be read: nothing is published, and rebuilds pass them over.

    Example: `foretick dlq drop stock-data/17 stock-data/18 --reason "test bytes of a foreign producer"`
    """
    here()
    from stack.commands.dead_letters import drop_letters as settle
    from streaming.settings import StreamSettings

    quiet()
    with _told():
        settle(StreamSettings(), letters, reason, terminal())
