"""A short way to many sockets: a frame that they share is encoded once and goes straight to each one's transport."""

from collections.abc import Callable
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from streaming.policies import STRICT

DirectWrite = Callable[[bytes], bool]

_EXTENSION = "foretick.wire"


class TransportProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol; its applications find `write_now` in their scope.

    Sending through ASGI costs a task's turn, four coroutines and an encoding for each socket, several times what the
    kernel takes for it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """Begin; what the protocol itself refuses has the house's headers, too."""
        super().__init__(*args, **options)
        reject = self.conn.reject

        def strict(status: Any, text: str) -> Response:
            answer = reject(status, text)
            answer.headers.update(STRICT)
            return answer

        self.conn.reject = strict  # type: ignore[method-assign]

    def handle_connect(self, event: Request) -> None:
        """Begin a connection."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][_EXTENSION] = {"write": self.write_now}

    def write_now(self, frame: bytes) -> bool:
        """Write an encoded frame; False, and nothing is written, while the socket takes no more or is ending."""
        if not self.writable.is_set() or self.conn.state is not State.OPEN or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True


def encoded(text: str) -> bytes:
    """Return a text as the frame of a server: not masked, not compressed."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def direct_write(scope: Scope) -> DirectWrite | None:
    """Return what writes to a connection's transport; None under another server."""
    found: dict[str, Any] = scope.get("extensions", {}).get(_EXTENSION, {})
    return found.get("write")
