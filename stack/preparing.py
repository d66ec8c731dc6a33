"""Make the topics and register the schemas, once a start, as soon as Kafka and the registry answer."""

import threading

from stack.layout import Layout
from stack.service import DidNotStart

_PATIENCE = 120.0
_lock = threading.Lock()
_done: set[str] = set()


def prepare_log(layout: Layout) -> None:
    """Make what is missing; every service asks for it before it starts, the first one does it."""
    from stack.terminal import quiet
    from streaming.admin import NotReady, prepare
    from streaming.registry import RegistryAway, SchemaRefused

    with _lock:
        if str(layout.home) in _done:
            return
        quiet()
        try:
            prepare(layout.stream(), _PATIENCE)
        except (NotReady, RegistryAway, SchemaRefused) as reason:
            raise DidNotStart(f"The topics and schemas could not be made: {reason}") from reason
        _done.add(str(layout.home))
