"""What the registry's answers are taken for, where registries differ."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from contracts.topics import STOCK_DATA
from contracts.versions import newest
from streaming.registry import Registry
from streaming.settings import StreamSettings

SUBJECT = f"/subjects/{STOCK_DATA.subject}/versions"


class OneByOne(BaseHTTPRequestHandler):
    """Answers as Karapace does, which judges a schema beside one version at a time; its second is incompatible."""

    held: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        assert self.path.partition("?")[0] == SUBJECT
        self._answer(200, self.held) if self.held else self._answer(404, {"error_code": 40401, "message": "none"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        versions = {f"/compatibility{SUBJECT}/{number}": number != 2 for number in self.held}
        path = self.path.partition("?")[0]
        if path in versions:
            self._answer(200, {"is_compatible": versions[path]})
        else:
            self._answer(404, {"error_code": 404, "message": "no such route"})

    def _answer(self, status: int, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with ThreadingHTTPServer(("127.0.0.1", 0), OneByOne) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Registry(StreamSettings(registry=f"http://127.0.0.1:{server.server_port}"))
        server.shutdown()


@pytest.mark.parametrize(("held", "accepted"), [([], True), ([1], True), ([1, 2], False), ([1, 2, 3], False)])
def test_schema_is_accepted_if_the_registry_finds_it_compatible_with_each_that_it_has(
    registry: Registry, held: list[int], accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OneByOne, "held", held)
    assert registry.accepts(STOCK_DATA, newest(STOCK_DATA.event)) is accepted
