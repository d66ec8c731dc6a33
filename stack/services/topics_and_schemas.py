"""Make the topics and register the schemas, once a start, as soon as Kafka and the registry answer."""

import threading
from typing import TYPE_CHECKING

from stack.layout import Layout
from stack.services.service import DidNotStart

if TYPE_CHECKING:
    from streaming.restoring import Lost

_PATIENCE = 120.0
_lock = threading.Lock()
_done: set[str] = set()


def prepare_log(layout: Layout) -> None:
    """Make what is missing; every service asks for it before it starts, the first one does it."""
    from stack.terminal import quiet, terminal
    from streaming.admin import prepare_servers
    from streaming.damage import LogUnsound
    from streaming.errors import ServerAway
    from streaming.fitness import TopicsUnfit
    from streaming.registry import SchemaRefused
    from streaming.restoring import RestoreRefused

    with _lock:
        if str(layout.home) in _done:
            return
        quiet()
        try:
            restored = prepare_servers(layout.stream(), _PATIENCE)
        except (ServerAway, LogUnsound, SchemaRefused, TopicsUnfit, RestoreRefused) as reason:
            raise DidNotStart(f"The topics and schemas are not as they must be: {reason}") from reason
        for each in restored:
            terminal().print(f"  ! the registry had lost a schema: {restored_words(each)}", style="yellow")
        _done.add(str(layout.home))


def restored_words(restored: "Lost") -> str:
    """Say in words what was given back."""
    use, version = restored.use, restored.version
    return f"schema id {use.schema_id} is {version.event} v{version.version} again: {use.count} messages"
