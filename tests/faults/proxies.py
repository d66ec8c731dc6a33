"""Proxies in front of servers: one of the registry that can be told to fail, one of any server that makes it slow."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a real server.

    Args:
        target: its base URL.
    """

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = httpx.URL(target)
        self.status = 0  # that it answers instead of asking
        self.deaf = False  # closes connections without an answer
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return str(self.target.copy_with(port=self.server_port))

    def mend(self) -> None:
        """Pass requests on again."""
        self.status, self.deaf = 0, False


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        self.server.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.server.deaf:
            self.close_connection = True
            return
        if self.server.status:
            self._answer(self.server.status, b'{"error_code": 50001, "message": "made by a test"}', "application/json")
            return
        kind = self.headers.get("content-type", "application/json")
        answer = httpx.request(
            self.command,
            self.server.target.copy_with(raw_path=self.path.encode()),
            content=body,
            headers={"content-type": kind},
            timeout=20,
        )
        self._answer(answer.status_code, answer.content, answer.headers.get("content-type", "application/json"))

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Run a proxy while a `with` block runs."""
    with Proxy(target) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def slow_proxy(port: int, bytes_a_second: float) -> Iterator[int]:
    """Pass connections on to a port, so many bytes a second of what all clients send; yield its own port."""
    loop = asyncio.new_event_loop()
    free_at = 0.0

    async def throttled(count: int) -> None:
        nonlocal free_at
        free_at = max(free_at, loop.time()) + count / bytes_a_second
        await asyncio.sleep(free_at - loop.time())

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slowly: bool) -> None:
        while data := await reader.read(4096):
            if slowly:
                await throttled(len(data))
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server, client = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            pump(reader, client, slowly=True), pump(server, writer, slowly=False), return_exceptions=True
        )

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
