"""A service that is slow is told from one that is away, and from one that stands still."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from stack.commands import status
from stack.services import health
from stack.services.service import Service
from stack.services.supervisor import State

pytestmark = pytest.mark.realtime


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def told(port: int) -> str:
    service = Service(name="one", group="servers", command=("true",), answers=health.mongodb_probe(port), ports=())
    (answer,) = status.ask_services([service])
    return status.describe_state(State("one", "RUNNING", 1), *answer)


def answer_after(server: socket.socket, seconds: float) -> None:
    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            time.sleep(seconds)
            connection.sendall(b"\x10" + bytes(15))

    threading.Thread(target=serve, daemon=True).start()


def test_service_is_prompt_slow_still_or_away(server, monkeypatch):
    monkeypatch.setattr(status, "PROMPT", 0.5)
    monkeypatch.setattr(status, "_PATIENCE", 2.0)
    port = server.getsockname()[1]
    answer_after(server, 0)
    assert told(port) == "answers"
    answer_after(server, 1.0)
    assert told(port) == "answers slowly"
    answer_after(server, 9.0)
    assert told(port) == "does not answer: stands still"
    server.close()
    assert told(port) == "does not answer yet"
