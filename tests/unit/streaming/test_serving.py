"""What a stranger can do to a server of ours with a plain socket: not much."""

import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from streaming import serving as serving_module
from streaming.journal import Journal
from streaming.policies import STRICT
from streaming.proxies import go_direct
from streaming.serving import BODY_BYTES, HEAD_BYTES, Bounded, Guarded, serving
from tests.support.ports import HOST
from tests.support.waiting import until
from tests.support.webservers import running


def app() -> FastAPI:
    found = FastAPI()

    @found.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "live"}

    @found.post("/echo")
    async def echo(request: Request) -> dict[str, object]:
        body = await request.body()
        return {"bytes": len(body), "authorization": request.headers.get("authorization")}

    return found


def served(**options: object) -> AbstractContextManager[int]:
    """Serve the app from a thread; enter for the port."""
    return running(serving(Guarded(app()), **options))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as port:
        yield port


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, port), timeout=20) as peer:
        yield peer


def said(peer: socket.socket) -> bytes:
    """Return all that the server says until it hangs up."""
    answer = b""
    try:
        while piece := peer.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def poured(peer: socket.socket, piece: bytes, most: int) -> int:
    """Send a piece again and again until the server hangs up or `most` bytes are out; return how many were."""
    sent = 0
    try:
        while sent < most:
            peer.sendall(piece)
            sent += len(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
        b"GET /health/live?",
        b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX",
        b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-A: ",
    ],
    ids=["header", "address", "header's name", "chunk's extension", "trailer"],
)
def test_head_without_end_is_refused_at_64_kilobytes(port: int, begun: bytes) -> None:
    with connected(port) as peer:
        peer.sendall(begun)
        peer.sendall(b"a" * (HEAD_BYTES + 32 * 1024))
        assert said(peer).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /health/live?" + b"a" * HEAD_BYTES * 2, 431),
        (b"no request\r\n\r\n", 400),
        (b"GET /health/live HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 400),
        (b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 404),
        (b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nOrigin: null\r\n\r\n", 403),
        (b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 200),
        (
            b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            404,
        ),
    ],
    ids=["long head", "no request", "foreign host", "nothing there", "foreign page", "answer", "socket"],
)
def test_answer_of_any_layer_keeps_browsers_strict(port: int, sent: bytes, status: int) -> None:
    with connected(port) as peer:
        peer.sendall(sent)
        answer = said(peer)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    lines = answer.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    assert {f"{name}: {value}".lower() for name, value in STRICT.items()} <= set(lines)


def test_refusals_are_logged(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bounded, "journal", Journal())
    with capture_logs() as logs, connected(port) as peer:
        assert httpx.post(f"http://{HOST}:{port}/echo", headers={"Origin": "null"}).status_code == 403
        peer.sendall(b"no request\r\n\r\n")
        said(peer)
    told = [{name: line.get(name) for name in ("event", "kind", "path", "address")} for line in logs]
    assert told == [
        {"event": "refused", "kind": "Forbidden", "path": "/echo", "address": HOST},
        {"event": "refused", "kind": "Bad Request", "path": None, "address": HOST},
    ]


def test_many_headers_are_one_head(port: int) -> None:
    with connected(port) as peer:
        peer.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"A: b\r\n" * (HEAD_BYTES // 4))
        assert b" 431 " in said(peer)


def test_head_below_the_limit_is_served(port: int) -> None:
    filled = {"X-A": "a" * (HEAD_BYTES - 2048)}
    assert httpx.get(f"http://{HOST}:{port}/health/live", headers=filled).status_code == 200


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: 127",
        b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /he",
    ],
    ids=["nothing", "a part", "a part after a whole"],
)
def test_head_that_does_not_come_to_its_end_in_time_is_not_waited_for(
    begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_module, "HEAD_SECONDS", 1.5)
    with served() as port, connected(port) as peer:
        peer.sendall(begun)
        answer = said(peer)
    assert answer.count(b"HTTP/1.1 408 Request Timeout") == 1
    assert answer.count(b"HTTP/1.1 200 ") == begun.count(b"\r\n\r\n")


def test_empty_lines_for_ever_are_no_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_module, "HEAD_SECONDS", 1.5)
    with served() as port, connected(port) as peer:
        peer.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        until(lambda: peer.recv(65536), "the answer")
        gone = threading.Event()

        def dripping() -> None:
            while not gone.is_set() and poured(peer, b"\r\n", 2):
                time.sleep(0.1)

        dripper = threading.Thread(target=dripping, daemon=True)
        dripper.start()
        said(peer)
        gone.set()
        dripper.join()


def test_body_that_does_not_come_to_its_end_in_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_module, "BODY_SECONDS", 0.3)
    with served() as port, connected(port) as peer:
        peer.sendall(b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n1234")
        assert b" 408 " in said(peer)


def test_connection_too_many_is_told_so_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_module, "raise_limit", lambda: 3)
    with served() as port:
        peers = [socket.create_connection((HOST, port), timeout=20) for _ in range(3)]
        for peer in peers:
            peer.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert peer.recv(65536).startswith(b"HTTP/1.1 200 ")
        with connected(port) as late:
            assert said(late).startswith(b"HTTP/1.1 503 ")
        peers.pop().close()

        def served_again() -> bool:
            with connected(port) as another:
                another.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return b" 200 " in said(another)

        until(served_again, "there is room again")
        for peer in peers:
            peer.close()


def test_limit_of_open_files_is_raised_and_leaves_some_to_others() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        most = serving_module.raise_limit()
        raised = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert raised == min(hard, serving_module.DESCRIPTORS) or hard == resource.RLIM_INFINITY
        assert 0 < most < raised
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_requests_behind_each_other_in_one_piece_are_all_answered(port: int) -> None:
    post = b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    last = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with connected(port) as peer:
        peer.sendall(post * 3 + last)
        answer = said(peer)
    assert (answer.count(b'"bytes":100000'), answer.count(b'"status":"live"')) == (3, 1)


def test_trailer_of_a_chunked_body_is_no_header(port: int) -> None:
    with connected(port) as peer:
        peer.sendall(b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
        peer.sendall(b"Authorization: Bearer late\r\n\r\n")
        assert b'{"bytes":1,"authorization":null}' in peer.recv(65536)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: +3",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding : chunked",
        b"Host: evil.example",
    ],
)
def test_request_that_can_be_read_in_two_ways_is_refused_and_what_follows_is_none(port: int, head: bytes) -> None:
    with connected(port) as peer:
        peer.sendall(b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + head + b"\r\n\r\n0\r\n\r\n")
        peer.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = said(peer)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_413(chunked: bool) -> None:
    client = TestClient(Guarded(app(), body_limit=1000), base_url=f"http://{HOST}")
    body = b"x" * 1001
    assert client.post("/echo", content=iter([body]) if chunked else body).status_code == 413
    assert client.post("/echo", content=body[1:]).json()["bytes"] == 1000


def test_body_that_is_said_to_be_too_large_is_read_to_its_end_so_that_the_answer_is_too(port: int) -> None:
    with connected(port) as peer:
        peer.sendall(b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ")
        peer.sendall(b"%d\r\n\r\n" % (BODY_BYTES + 1) + bytes(BODY_BYTES + 1))
        assert peer.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8010", 200),
        ("[::1]:8010", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("exchange:8010", 200),
        (socket.gethostname(), 200),
        ("192.168.7.9:8010", 200),
        ("evil.example", 400),
        ("evil.example:8010", 400),
        ("127.0.0.1.evil.example", 400),
        ("localhost.evil.example", 400),
        ("", 400),
    ],
)
def test_host_names_that_are_not_ours_are_refused(host: str, status: int) -> None:
    client = TestClient(Guarded(app(), hosts=["Exchange"]), base_url=f"http://{HOST}")
    assert client.get("/health/live", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://127.0.0.1:8010", 200),
        ("http://127.0.0.1:8000", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_pages_of_elsewhere_change_nothing(origin: str | None, status: int) -> None:
    client = TestClient(Guarded(app()), base_url="http://127.0.0.1:8010")
    headers = {} if origin is None else {"Origin": origin}
    assert client.post("/echo", content=b"", headers=headers).status_code == status
    assert client.get("/health/live", headers=headers).status_code == 200


def test_every_server_is_bounded() -> None:
    config = serving(app())
    assert issubclass(config.http, Bounded)  # type: ignore[arg-type]
    assert not config.proxy_headers


@pytest.mark.parametrize(
    ("told", "direct"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "corp.example, localhost"}, "corp.example,localhost,127.0.0.1,::1"),
        ({"no_proxy": "a", "NO_PROXY": "b"}, "a,b,127.0.0.1,localhost,::1"),
    ],
)
def test_proxy_is_not_for_our_own_servers(told: dict[str, str], direct: str) -> None:
    environment = {"HTTP_PROXY": "http://proxy.example:3128", **told}
    go_direct(environment)
    assert environment["NO_PROXY"] == environment["no_proxy"] == direct
    assert environment["HTTP_PROXY"] == "http://proxy.example:3128"
