"""Other machines come by TLS, to the gateway itself or to a proxy in front of it, and by nothing else."""

import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.http import middleware
from streaming import tls
from streaming.policies import SECURED
from tests.support.certificates import certified
from tests.support.event_streams import run
from tests.support.gateways import Gateway, gateway
from tests.unit.gateway.http.test_authentication import BOTH, TOKENS, bearer
from tests.unit.gateway.stream.test_sockets import hear, running

NAME = "charts.example"
OUTSIDE: dict[str, Any] = {"gateway_host": "0.0.0.0", "hosts": [NAME], "tokens": TOKENS}
PROXIED = OUTSIDE | {"trusted_proxies": ["127.0.0.1"]}
HSTS = "Strict-Transport-Security"


def test_answers_by_tls_keep_browsers_to_it_for_a_year_except_on_localhost() -> None:
    async def check() -> None:
        async with gateway(**PROXIED) as found:
            for path in ("/sign-in", "/api/symbols", "/none", "/health/live"):
                by_tls = await found.http.get(f"https://{NAME}{path}")
                assert by_tls.headers[HSTS] == SECURED[HSTS], path
                for other in (f"http://{NAME}{path}", f"https://localhost:8000{path}"):
                    assert HSTS not in (await found.http.get(other)).headers, other
        assert "max-age=31536000" in SECURED[HSTS]

    run(check())


@pytest.mark.parametrize(
    ("scheme", "address", "settings", "status"),
    [
        ("https", "192.0.2.1", PROXIED, 200),
        ("http", "192.0.2.1", PROXIED, 403),
        ("http", "127.0.0.1", PROXIED, 200),  # this machine's own
        (
            "http",
            "192.0.2.1",
            {"tokens": TOKENS, "hosts": [NAME]},
            200,
        ),  # by a proxy of this machine, which must see to it
        ("http", "192.0.2.1", OUTSIDE | {"private_network": True}, 200),
    ],
)
def test_other_machine_in_the_clear_is_refused(
    scheme: str, address: str, settings: dict[str, Any], status: int
) -> None:
    async def check() -> None:
        async with gateway(**settings) as found:
            transport = httpx.ASGITransport(found.app, client=(address, 5))
            async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://{NAME}") as http:
                assert (await http.get("/api/symbols", headers=bearer(BOTH))).status_code == status
                assert (await http.get("/health/live")).status_code == 200  # probes speak no TLS

    run(check())


@pytest.mark.parametrize(("scheme", "status"), [("https", 200), ("http", 403)])
def test_proxy_says_how_its_caller_came(scheme: str, status: int) -> None:
    async def check() -> None:
        async with running(**PROXIED) as found:
            came = bearer(BOTH) | {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": scheme}
            assert (await found.http.get("/api/symbols", headers=came)).status_code == status
            if status == 200:
                async with connect(found.socket("/live"), additional_headers=came) as ws:
                    await hear(ws, "hello")
            else:
                with pytest.raises(InvalidStatus) as failure:
                    await connect(found.socket("/live"), additional_headers=came)
                assert failure.value.response.status_code == 403

    run(check())


def test_sockets_and_requests_come_by_tls_where_the_gateway_has_a_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certified(tmp_path, NAME)
    for module in (tls, middleware):
        monkeypatch.setattr(module, "is_loopback", lambda address: False)

    async def check() -> None:
        async with running(tls_certificate=file, **OUTSIDE) as found:
            context = ssl.create_default_context(cafile=file)
            own = {"server_hostname": NAME, "ssl": context, "additional_headers": bearer(BOTH)}
            async with connect(f"wss://{NAME}/live", host="127.0.0.1", port=found.port, **own) as ws:
                await hear(ws, "hello")
                await hear(ws, "heartbeat")
            answer = await by_tls(found, context)
            assert (answer.status_code, HSTS in answer.headers) == (200, True)
            with pytest.raises(httpx.TransportError):
                await found.http.get("/health/live")

    run(check())


async def by_tls(found: Gateway, context: ssl.SSLContext) -> httpx.Response:
    headers, names = bearer(BOTH) | {"Host": NAME}, {"sni_hostname": NAME}
    async with httpx.AsyncClient(verify=context) as http:
        return await http.get(f"https://127.0.0.1:{found.port}/api/symbols", headers=headers, extensions=names)
