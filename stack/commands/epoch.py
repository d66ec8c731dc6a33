"""Copy the log to a new epoch, show how it goes, and say what to do next."""

from rich.console import Console

from stack.commands.rebuild import progress_bar
from stack.terminal import say
from streaming.damage import LogUnsound
from streaming.epochs import EpochRefused, Skip, begin_epoch
from streaming.errors import ServerAway
from streaming.publisher import PublishFailed
from streaming.registry import SchemaRefused
from streaming.settings import StreamSettings


def copy_epoch(settings: StreamSettings, prefix: str, skip: Skip, console: Console) -> int:
    """Copy all topics; return 0, or 1 if nothing came of it."""
    try:
        with progress_bar(console) as progress:
            task = progress.add_task("", total=None)
            done = begin_epoch(
                settings,
                prefix,
                skip=skip,
                progress=lambda topic, count, total: progress.update(
                    task, description=topic, completed=count, total=total
                ),
            )
    except (EpochRefused, ServerAway, SchemaRefused, PublishFailed, LogUnsound) as problem:
        say(problem, console)
        return 1
    for each in done:
        left = f", {each.left} dead letters left out" if each.left else ""
        text = f"{prefix}{each.topic}: {each.events} events in {each.partitions} partitions{left}"
        console.print(text)
        for damage in each.damage:
            console.print(f"left out: {damage}")
    console.print(
        f"The copy is true. Now set FORETICK_TOPIC_PREFIX={prefix} for every service, start the servers, run\n"
        "`foretick rebuild --all --accept-difference`, and start the services.",
    )
    return 0
