"""Ports for processes that a test starts: a worker never hands out another's, nor one that the kernel may."""

import itertools
import os

from stack.layout import HOST as HOST
from stack.run.preflight import free

_FIRST = 61_000  # above the kernel's own: a connection from anywhere to anywhere may hold one of those
_EACH = 500
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_counted = itertools.count(os.getpid())  # another run beside this one begins elsewhere


def free_port() -> int:
    """Return a port of this worker's that nobody listens on, and that was not returned lately."""
    for number in itertools.islice(_counted, _EACH):
        port = _FIRST + _WORKER % 8 * _EACH + number % _EACH
        if free(port):
            return port
    raise AssertionError("none of this worker's ports is free")
