"""What every command begins with: where the stack is, and where to write."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from stack.layout import Layout

_WIDTH = 140


def here() -> "Layout":
    """Return this stack's layout, and let this process speak to that stack unless told otherwise."""
    from stack.settings import StackSettings

    layout = StackSettings().layout()
    for name, value in layout.environment().items():
        os.environ.setdefault(name, value)
    return layout


def terminal(*, stderr: bool = False) -> "Console":
    """Return where to write."""
    from rich.console import Console

    console = Console(stderr=stderr)
    if not console.is_terminal and console.width < _WIDTH:
        console = Console(width=_WIDTH, stderr=stderr)  # piped output has no edge to wrap at
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


def say(problem: Exception, console: "Console") -> None:
    """Print what went wrong; where a server is away, with what to do."""
    from streaming.away import ServerAway

    console.print(str(problem), style="red", highlight=False, markup=False)
    if isinstance(problem, ServerAway):
        console.print("Does it run? `foretick status` tells, `foretick up` starts what does not.", highlight=False)
