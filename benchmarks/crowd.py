"""A crowd of WebSocket clients in one process, cheap enough not to be what is measured.

Frames are cut and their messages counted by bytes, without JSON; only a sample of the clients looks at each message,
for its delay. One epoll loop, no coroutines.
"""

import base64
import os
import re
import resource
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

_OFFSET = re.compile(rb'"offset": ?(\d+)')
_COUNTED = b'"offset":'
CHUNK = 1 << 18


def client_frame(text: str) -> bytes:
    """Return a masked text frame, as clients send them (RFC 6455); the mask is zero, so the text stays readable."""
    body = text.encode()
    size = bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0x80 | 126]) + struct.pack("!H", len(body))
    return b"\x81" + size + bytes(4) + body


def allow_many_files() -> int:
    """Raise the limit of open files as far as the system lets us; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@dataclass(slots=True)
class Member:
    """One client: its socket, what it has of an unfinished frame, and what it has seen."""

    sock: socket.socket
    sampled: bool = False
    rest: bytes = b""
    messages: int = 0
    seen: list[int] = field(default_factory=list)
    closed: bool = False


class Crowd:
    """Clients of one address.

    Args:
        times: publish times by offset (monotonic seconds): delays of the sampled clients are counted from them.
    """

    def __init__(self, port: int, path: str = "/live", times: Sequence[float] = ()) -> None:
        self.members: list[Member] = []
        self.delays: list[float] = []
        self._port = port
        self._path = path
        self._times = times
        self._poll = select.epoll()
        self._by_fd: dict[int, Member] = {}

    def join(self, count: int, *, sample_every: int = 50, first: str | Sequence[str] = "", slow: bool = False) -> None:
        """Let clients in, a hundred at a time.

        Args:
            first: what each says first; a sequence holds one text for each.
            sample_every: one in so many looks at each message, and remembers its offset.
            slow: they never read, and their windows are small.
        """
        for begin in range(0, count, 100):
            batch = [self._connect(slow) for _ in range(min(100, count - begin))]
            for number, sock in enumerate(batch, start=begin):
                head, rest = _handshaken(sock)
                assert b" 101 " in head.split(b"\r\n", 1)[0], head[:200]
                if first:
                    sock.sendall(client_frame(first if isinstance(first, str) else first[number]))
                member = Member(sock, sampled=not slow and number % sample_every == 0, rest=rest)
                sock.setblocking(False)
                self.members.append(member)
                if not slow:
                    self._by_fd[sock.fileno()] = member
                    self._poll.register(sock.fileno(), select.EPOLLIN)
            self.hear(0.01)  # who is in already is asked whether it is alive while the others come

    def hear(self, seconds: float, until: int | None = None) -> float:
        """Read for so long, or until so many messages have come in all; return the seconds that it took."""
        begun = time.monotonic()
        deadline = begun + seconds
        while (now := time.monotonic()) < deadline and (until is None or self.messages < until):
            for fd, _ in self._poll.poll(min(0.05, deadline - now)):
                self._read(self._by_fd[fd])
        return time.monotonic() - begun

    @property
    def messages(self) -> int:
        """Tell how many messages came in all."""
        return sum(member.messages for member in self.members)

    def forget(self) -> None:
        """Count from here."""
        self.delays.clear()
        for member in self.members:
            member.messages = 0

    def drop(self) -> None:
        """Cut all connections without a word."""
        for member in self.members:
            if not member.closed:
                member.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                member.sock.close()
        self.members.clear()
        self._by_fd.clear()
        self._poll.close()
        self._poll = select.epoll()

    def _connect(self, slow: bool) -> socket.socket:
        sock = socket.socket()
        if slow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(60)
        sock.connect(("127.0.0.1", self._port))
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        return sock

    def _read(self, member: Member) -> None:
        try:
            data = member.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._poll.unregister(member.sock.fileno())
            del self._by_fd[member.sock.fileno()]
            member.sock.close()
            member.closed = True
            return
        now = time.monotonic()
        data = member.rest + data if member.rest else data
        at, size = 0, len(data)
        while size - at >= 2:
            length, begin = data[at + 1], at + 2
            if length == 126:
                if size - at < 4:
                    break
                length, begin = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                if size - at < 10:
                    break
                length, begin = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            end = begin + length
            if end > size:
                break
            opcode = data[at] & 0x0F
            if opcode == 1:
                self._take(member, data, begin, end, now)
            elif opcode == 9:
                member.sock.sendall(b"\x8a\x80\0\0\0\0" if not length else _pong(data[begin:end]))
            at = end
        member.rest = data[at:]

    def _take(self, member: Member, data: bytes, begin: int, end: int, now: float) -> None:
        member.messages += data.count(_COUNTED, begin, end)
        if member.sampled:
            offsets = [int(found[1]) for found in _OFFSET.finditer(data, begin, end)]
            member.seen += offsets
            if self._times:
                self.delays += [now - self._times[offset] for offset in offsets]


def _handshaken(sock: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(4096)
        assert more, data
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _pong(payload: bytes) -> bytes:
    return b"\x8a" + bytes([0x80 | len(payload)]) + bytes(4) + payload
