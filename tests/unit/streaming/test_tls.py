"""TLS to other machines, plain HTTP on this one; a handshake is bounded as a head is.

All of a test's connections are loopback's: these tests make the server take them for others'.
"""

import socket
import ssl
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from streaming import serving as serving_module
from streaming import tls, watched
from streaming.outward import is_loopback
from streaming.serving import Guarded, serving
from streaming.tls import Certificate
from tests.support.certificates import certified
from tests.support.ports import HOST
from tests.support.waiting import until
from tests.support.webservers import running
from tests.unit.streaming.test_serving import app

NAME = "charts.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return certified(tmp_path, NAME)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every peer for another machine's."""
    monkeypatch.setattr(tls, "is_loopback", lambda address: False)


def served(file: Path) -> AbstractContextManager[int]:
    """Serve an app with a certificate; enter for the port."""
    return running(serving(Guarded(app(), [NAME]), Certificate(file, None)))


def trusting(file: Path, **options: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=file)
    for name, value in options.items():
        setattr(context, name, value)
    return context


def asked(file: Path, port: int, **options: ssl.TLSVersion) -> httpx.Response:
    """Ask for the health over TLS, and check the certificate's name."""
    with httpx.Client(verify=trusting(file, **options)) as http:
        return http.get(
            f"https://{HOST}:{port}/health/live", headers={"Host": NAME}, extensions={"sni_hostname": NAME}, timeout=5
        )


@pytest.mark.usefixtures("elsewhere")
def test_other_machines_come_by_tls_1_2_or_newer_with_forward_secrecy(file: Path) -> None:
    with served(file) as port:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            assert asked(file, port, minimum_version=version, maximum_version=version).json() == {"status": "live"}
        with (
            socket.create_connection((HOST, port)) as plain,
            trusting(file).wrap_socket(plain, server_hostname=NAME) as secured,
        ):
            cipher = secured.cipher()
            assert cipher
            assert cipher[0].endswith(("_GCM_SHA384", "_GCM_SHA256", "_POLY1305_SHA256"))
    context = tls.load_certificate(file, None)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    weak = [each["name"] for each in context.get_ciphers() if not each["name"].startswith(("TLS_", "ECDHE-", "DHE-"))]
    assert weak == []


def test_this_machine_comes_in_the_clear(file: Path) -> None:
    with served(file) as port:
        assert httpx.get(f"http://{HOST}:{port}/health/live").json() == {"status": "live"}
    for address, own in {
        "127.0.0.1": True,
        "127.9.9.9": True,
        "::1": True,
        "::ffff:127.0.0.1": True,
        "192.0.2.1": False,
        "::ffff:192.0.2.1": False,
        "": False,
        "localhost": True,
    }.items():
        assert is_loopback(address) == own, address


@pytest.mark.usefixtures("elsewhere")
def test_other_machines_that_speak_no_tls_are_sent_away_and_told_in_the_log(file: Path) -> None:
    with served(file) as port:
        with capture_logs() as logs, socket.create_connection((HOST, port), timeout=5) as plain:
            plain.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert b"HTTP/1.1" not in plain.recv(1000)  # an alert, or nothing
            until(lambda: bool(logs), "it is told")
        assert [(line["event"], line["kind"]) for line in logs] == [("refused", "tls-handshake")]
        assert asked(file, port).status_code == 200


@pytest.mark.usefixtures("elsewhere")
def test_handshake_that_does_not_end_is_ended_and_counts_as_a_connection(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_module, "raise_limit", lambda: 3)
    with served(file) as port, ExitStack() as open_:
        silent = [open_.enter_context(socket.create_connection((HOST, port), timeout=5)) for _ in range(3)]
        until(lambda: refused(port), "a connection too many is refused")
        for each in silent:
            each.close()
        until(lambda: not refused(port), "there is room again")
    monkeypatch.setattr(tls, "HANDSHAKE_SECONDS", 0.2)
    with served(file) as port, socket.create_connection((HOST, port), timeout=20) as silent_one:
        assert silent_one.recv(1) == b""  # ended by the server


def refused(port: int) -> bool:
    """Tell whether a connection ends at once."""
    with socket.create_connection((HOST, port), timeout=0.5) as one_more:
        try:
            return one_more.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


@pytest.mark.usefixtures("elsewhere")
def test_request_that_comes_with_the_end_of_the_handshake_is_answered(file: Path) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(file).wrap_bio(incoming, outgoing, server_hostname=NAME)
    with served(file) as port, socket.create_connection((HOST, port), timeout=10) as plain:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        client.write(b"GET /health/live HTTP/1.1\r\nHost: charts.example\r\nConnection: close\r\n\r\n")
        plain.sendall(outgoing.read())  # the handshake's last message, and the request
        answer = b""
        while b"live" not in answer:
            incoming.write(plain.recv(65536))
            try:
                while piece := client.read():
                    answer += piece
            except ssl.SSLWantReadError:
                continue
        assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("elsewhere")
def test_certificate_that_was_renewed_is_shown_without_a_restart_and_a_broken_one_is_not(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "_LOOK", 0.0)
    with served(file) as port:
        before = file.read_bytes()
        assert asked(file, port).status_code == 200
        file.write_bytes(before[:200])
        with capture_logs() as logs:
            for line in (b"", b""):
                known = file.parent / "before.pem"
                known.write_bytes(before + line)
                assert asked(known, port).status_code == 200
        assert [line["event"] for line in logs] == ["the certificate stays as it was"]
        certified(file.parent, NAME)
        assert file.read_bytes() != before
        assert asked(file, port).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            asked(known, port)


@pytest.mark.parametrize("content", [b"", b"none", None])
def test_certificate_that_is_none_is_refused_with_its_name(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "bad.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.pem"):
        Certificate(file, None)


def test_key_with_a_password_is_refused_and_nobody_is_asked_for_it(file: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(file.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(ValueError, match="without a password"):
        Certificate(file, locked)
