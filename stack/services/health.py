"""Ask a port whether its service answers, within the seconds given."""

import socket
import struct
from collections.abc import Callable

from stack.layout import HOST
from stack.services.http import ServiceAway, get

PROMPT = 2.0  # seconds
Probe = Callable[[float], bool]


def http_probe(url: str) -> Probe:
    """Return a check that a GET answers with a success status."""

    def check(seconds: float = PROMPT) -> bool:
        try:
            get(url, timeout=seconds)
        except ServiceAway:
            return False
        return True

    return check


def kafka_probe(port: int) -> Probe:
    """Return a check that the broker answers an ApiVersions request: it may accept long before it serves."""
    request = struct.pack(">hhih", 18, 0, 1, -1)  # api key, version, correlation id, no client id
    return _spoken(port, struct.pack(">i", len(request)) + request)


def mongodb_probe(port: int) -> Probe:
    """Return a check that the server answers a `hello`: the kernel accepts for a process that stands still, too."""
    hello = b"\x10hello\0" + struct.pack("<i", 1) + b"\x02$db\0" + struct.pack("<i", 6) + b"admin\0"
    document = struct.pack("<i", 4 + len(hello) + 1) + hello + b"\0"
    message = struct.pack("<ib", 0, 0) + document  # flags, and a section that is one document
    return _spoken(port, struct.pack("<iiii", 16 + len(message), 1, 0, 2013) + message)


def _spoken(port: int, request: bytes) -> Probe:
    """Return a check that a request over TCP is answered."""

    def check(seconds: float = PROMPT) -> bool:
        try:
            with socket.create_connection((HOST, port), timeout=seconds) as connection:
                connection.sendall(request)
                return len(connection.recv(16)) > 4
        except OSError:
            return False

    return check
