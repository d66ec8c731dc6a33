"""A stranger who pours megabytes into a server of ours holds nobody up."""

import threading
import time

import httpx
import pytest

from tests.support.ports import HOST
from tests.unit.streaming.test_serving import connected, poured, served

pytestmark = pytest.mark.realtime


def test_megabytes_of_head_do_not_hold_others_up() -> None:
    with served() as port:

        def attack() -> None:
            with connected(port) as peer:
                peer.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ")
                poured(peer, b"a" * 65536, 60_000_000)

        attackers = [threading.Thread(target=attack, daemon=True) for _ in range(2)]
        for attacker in attackers:
            attacker.start()
        waits = []
        with httpx.Client(base_url=f"http://{HOST}:{port}") as client:
            while any(attacker.is_alive() for attacker in attackers) or len(waits) < 10:
                begun = time.monotonic()
                assert client.get("/health/live").status_code == 200
                waits.append(time.monotonic() - begun)
        assert max(waits) < 1.5  # uvicorn alone takes many seconds of each attacker's head
        assert sorted(waits)[len(waits) // 2] < 0.1
