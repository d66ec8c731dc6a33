"""A proxy in front of the registry that can be told to fail."""

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
