"""Ask a port whether its service answers."""

import socket
import struct
import urllib.error
import urllib.request
from collections.abc import Callable

from stack.layout import HOST

_TIMEOUT = 2.0


def tcp(port: int) -> Callable[[], bool]:
    """Return a check that a connection is accepted."""

    def check() -> bool:
        try:
            socket.create_connection((HOST, port), timeout=_TIMEOUT).close()
        except OSError:
            return False
        return True

    return check


def http(url: str) -> Callable[[], bool]:
    """Return a check that a GET answers with a success status."""

    def check() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
                return 200 <= int(response.status) < 300
        except (OSError, ValueError):
            return False

    return check


def kafka(port: int) -> Callable[[], bool]:
    """Return a check that the broker answers an ApiVersions request: it may accept long before it serves."""
    request = struct.pack(">hhih", 18, 0, 1, -1)  # api key, version, correlation id, no client id

    def check() -> bool:
        try:
            with socket.create_connection((HOST, port), timeout=_TIMEOUT) as connection:
                connection.sendall(struct.pack(">i", len(request)) + request)
                return len(connection.recv(10)) == 10
        except OSError:
            return False

    return check
