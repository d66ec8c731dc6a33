"""What every command begins with: where the stack is, and where to write."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from contracts.files.numbers import printable

if TYPE_CHECKING:
    from stack.layout import Layout

_WIDTH = 140
DONE = Text("✓", "green")


class Terminal(Console):
    """A console to which a text is a text, whoever wrote it: no markup, no emoji, nothing that steers a terminal.

    What is to have a colour is a `Text`, or has a style beside it.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Make a text of a string."""
        return super().render_str(printable(text, "\n\t"), **options)


def here() -> "Layout":
    """Return this stack's layout, and let this process speak to that stack unless told otherwise."""
    from stack.settings import StackSettings
    from streaming.proxies import go_direct

    layout = StackSettings().layout()
    go_direct()
    try:
        Path.home()
    except RuntimeError:  # a user without a home: servers that look for theirs would not start
        os.environ["HOME"] = str(layout.home)
    for name, value in layout.environment().items():
        os.environ.setdefault(name, value)
    return layout


def terminal(*, stderr: bool = False) -> Terminal:
    """Return where to write."""
    console = Terminal(stderr=stderr)
    if not console.is_terminal and console.width < _WIDTH:
        console = Terminal(width=_WIDTH, stderr=stderr)  # piped output has no edge to wrap at
    return console


def quiet() -> None:
    """Let the parts' own logs speak up only from warnings on: the command itself says what it does.

    Kafka's client would tell of each of many attempts a second to reach a broker that is away.
    """
    import logging
    import sys

    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    os.environ.setdefault("FORETICK_KAFKA_LOG_LEVEL", "2")


def say(problem: Exception, console: Console) -> None:
    """Print what went wrong; where a server is away, with what to do."""
    from streaming.errors import ServerAway

    console.print(str(problem), style="red")
    if isinstance(problem, ServerAway):
        console.print("Does it run? `foretick status` tells, `foretick up` starts what does not.")
