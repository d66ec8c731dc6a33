"""Who gets in: tokens, JWTs, tickets, cookies; what each address needs; and how often a caller may ask."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote_from_bytes

import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from gateway.access import COOKIE, Caller
from gateway.budgets import Budgets
from gateway.tickets import SECONDS, Tickets
from gateway.tokens import entry
from streaming.serving import listen
from tests.unit.gateway.gateways import Gateway, gateway, scoring
from tests.unit.gateway.streams import run
from tests.unit.gateway.test_sockets import hear, running

READER, BOTH, PREDICTOR = "ftk_reader", "ftk_both", "ftk_predictor"
TOKENS = [
    entry("reader", {"read"}, READER),
    entry("both", {"read", "predict"}, BOTH),
    entry("predictor", {"predict"}, PREDICTOR),
]
OPEN = {"/health/live", "/health/ready", "/docs", "/openapi.json", "/sign-in"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_every_route_without_a_token_is_refused_but_for_those_that_tell_nothing() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            spec = (await found.http.get("/openapi.json")).json()
            asked = 0
            for path, operations in spec["paths"].items():
                for method in operations:
                    if path in OPEN:
                        continue
                    answer = await found.http.request(method, path.replace("{symbol}", "AAPL"))
                    assert answer.status_code == 401, path
                    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                    assert answer.headers["content-type"] == "application/problem+json"
                    asked += 1
            assert asked >= 10
            for path in ("/docs", "/openapi.json", "/asyncapi.json", "/health/live", "/sign-in"):
                assert (await found.http.get(path)).status_code == 200

    run(check())


@pytest.mark.parametrize(
    ("token", "method", "path", "status"),
    [
        (READER, "GET", "/api/symbols", 200),
        (READER, "POST", "/predict", 403),
        (READER, "POST", "/api/ticket", 200),
        (PREDICTOR, "GET", "/api/symbols", 403),
        (PREDICTOR, "POST", "/predict", 422),
        (BOTH, "GET", "/metrics", 200),
        (BOTH, "POST", "/predict", 422),
        ("ftk_stranger", "GET", "/api/symbols", 401),
        ("a.b.c", "GET", "/api/symbols", 401),
        ("", "GET", "/api/symbols", 401),
    ],
)
def test_token_opens_what_its_scopes_say(token: str, method: str, path: str, status: int) -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            answer = await found.http.request(
                method, path, headers=bearer(token), json={} if path == "/predict" else None
            )
            assert answer.status_code == status, answer.text
            assert token == "" or token not in answer.text

    run(check())


def test_token_in_the_address_is_no_token() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            for name in ("token", "access_token", "ticket"):
                assert (await found.http.get(f"/api/symbols?{name}={READER}")).status_code == 401

    run(check())


async def refused(found: Gateway, path: str = "/live", **options: Any) -> int:
    with pytest.raises(InvalidStatus) as failure:
        async with connect(found.socket(path), **options):
            pass
    return failure.value.response.status_code


def test_socket_without_a_token_is_refused_before_accept() -> None:
    async def check() -> None:
        async with running(tokens=TOKENS) as found:
            assert await refused(found) == 401
            assert await refused(found, additional_headers=bearer("ftk_stranger")) == 401
            assert await refused(found, additional_headers=bearer(PREDICTOR)) == 403
            assert await refused(found, f"/live?token={READER}") == 401
            async with connect(found.socket("/live"), additional_headers=bearer(READER)) as ws:
                await hear(ws, "hello")

    run(check())


def test_socket_of_a_browser_gets_in_by_subprotocol_or_ticket_and_a_ticket_is_good_once() -> None:
    async def check() -> None:
        async with running(tokens=TOKENS) as found:
            by_token = [Subprotocol("foretick.v1"), Subprotocol(f"foretick.token.{READER}")]
            async with connect(found.socket("/live"), subprotocols=by_token) as ws:
                assert ws.subprotocol == "foretick.v1"
                await hear(ws, "hello")
            for offer in (True, False):
                ticket = (await found.http.post("/api/ticket", headers=bearer(READER))).json()["ticket"]
                protocols = [Subprotocol("foretick.v1"), Subprotocol(f"foretick.ticket.{ticket}")] if offer else None
                path = "/live" if offer else f"/live?ticket={ticket}"
                async with connect(found.socket(path), subprotocols=protocols) as ws:
                    await hear(ws, "hello")
                assert await refused(found, path, subprotocols=protocols) == 401

    run(check())


def test_ticket_too_old_or_unknown_is_nobodys() -> None:
    now = 100.0
    tickets = Tickets(clock=lambda: now)
    caller = Caller("alice", "127.0.0.1", known=True)
    early, late = tickets.give(caller), tickets.give(caller)
    assert tickets.take(early) == caller
    assert tickets.take(early) is None
    now += SECONDS
    assert tickets.take(late) is None
    assert tickets.take("none") is None


def test_page_without_a_token_leads_to_sign_in_and_a_cookie_opens_it() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            page = {"Accept": "text/html"}
            sent = await found.http.get("/market", headers=page)
            assert (sent.status_code, sent.headers["Location"]) == (303, "/sign-in")
            wrong = await found.http.post("/sign-in", content="token=ftk_stranger")
            assert wrong.status_code == 401
            assert "set-cookie" not in wrong.headers
            right = await found.http.post("/sign-in", content=f"token={BOTH}")
            cookie = right.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=strict" in cookie
            found.http.cookies.set(COOKIE, BOTH)
            assert (await found.http.get("/market", headers=page)).status_code == 200
            assert (await found.http.get("/api/symbols")).status_code == 200

    run(check())


def test_request_with_a_cookie_from_another_site_is_refused() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            found.http.cookies.set(COOKIE, BOTH)
            for origin in ({}, {"Origin": "https://evil.example"}):
                assert (await found.http.post("/predict", json={}, headers=origin)).status_code == 403
            own = {"Origin": "http://127.0.0.1"}
            assert (await found.http.post("/predict", json={}, headers=own)).status_code == 422

    run(check())


def test_token_is_good_until_the_day_that_its_line_names() -> None:
    async def check() -> None:
        today = datetime.now(UTC).date()
        lines = [entry("past", {"read"}, READER, today), entry("future", {"read"}, BOTH, today + timedelta(days=2))]
        async with gateway(tokens=lines) as found:
            past = await found.http.get("/api/symbols", headers=bearer(READER))
            assert (past.status_code, "has ended" in past.json()["detail"]) == (401, True)
            assert (await found.http.get("/api/symbols", headers=bearer(BOTH))).status_code == 200
            signed = await found.http.post("/sign-in", data={"token": BOTH})
            kept = SimpleCookie(signed.headers["Set-Cookie"])[COOKIE]
            assert 86_000 < int(kept["max-age"]) <= 2 * 86_400

    run(check())


def test_person_who_has_signed_in_can_sign_out() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            assert "/sign-out" not in (await found.http.get("/sign-in")).text
            await found.http.post("/sign-in", data={"token": BOTH})
            assert (await found.http.get("/api/symbols")).status_code == 200
            assert "/sign-out" in (await found.http.get("/sign-in")).text
            evil = await found.http.post("/sign-out", headers={"Origin": "https://evil.example"})
            assert (evil.status_code, evil.headers.get("Set-Cookie")) == (403, None)
            own = {"Origin": "http://127.0.0.1"}
            out = await found.http.post("/sign-out", headers=own)
            assert (out.status_code, out.headers["Location"]) == (303, "/sign-in")
            assert (await found.http.get("/api/symbols")).status_code == 401

    run(check())


@pytest.mark.parametrize("tokens", [[], TOKENS])
def test_page_of_another_origin_changes_nothing_with_or_without_tokens(tokens: list[str]) -> None:
    async def check() -> None:
        async with gateway(tokens=tokens, origins=["https://charts.example"]) as found:
            shown = bearer(BOTH) if tokens else {}
            plain = {"Content-Type": "text/plain", **shown}  # a page may send that without asking first
            for path in ("/predict", "/api/csv", "/api/ticket", "/sign-in"):
                evil = await found.http.post(path, content=b"{}", headers=plain | {"Origin": "https://evil.example"})
                assert (evil.status_code, evil.json()["type"]) == (403, "urn:foretick:problem:foreign-origin"), path
            listed = await found.http.post("/predict", json={}, headers=shown | {"Origin": "https://charts.example"})
            assert listed.status_code == 422

    run(check())


@pytest.mark.parametrize(
    ("trusted", "status"), [([], 429), (["10.0.0.0/8"], 429), (["127.0.0.1"], 200), (["127.0.0.0/8"], 200)]
)
def test_forwarded_address_is_believed_from_trusted_proxies_only(trusted: list[str], status: int) -> None:
    async def check() -> None:
        settings = {"predict_per_minute": 1, "trusted_proxies": trusted}
        async with scoring() as (_, url), gateway(listening=True, forecasting=url, **settings) as found:
            history = [{"ds": f"2012-01-0{day}", "y": 10.0 + day} for day in (3, 4)]
            answers = [
                await found.http.post("/predict", json={"history": history}, headers={"X-Forwarded-For": address})
                for address in ("192.0.2.1", "192.0.2.2")
            ]
            assert [answer.status_code for answer in answers] == [200, status]

    run(check())


def test_page_of_a_listed_origin_may_read_answers_and_others_may_not() -> None:
    async def check() -> None:
        async with gateway(origins=["https://charts.example"]) as found:
            own = await found.http.get("/api/symbols", headers={"Origin": "https://charts.example"})
            assert own.headers["Access-Control-Allow-Origin"] == "https://charts.example"
            other = await found.http.get("/api/symbols", headers={"Origin": "https://evil.example"})
            assert "Access-Control-Allow-Origin" not in other.headers
            asked = {"Origin": "https://charts.example", "Access-Control-Request-Method": "POST"}
            before = await found.http.options("/predict", headers=asked)
            assert before.status_code == 200
            assert "authorization" in before.headers["Access-Control-Allow-Headers"].lower()

    run(check())


class Provider:
    """An identity provider: its key, and what it publishes."""

    def __init__(self) -> None:
        self.key, self.kid, self.asked = ec.generate_private_key(ec.SECP256R1()), "k1", 0
        self.use, self.held = "sig", asyncio.Event()
        self.held.set()

    async def published(self) -> dict[str, Any]:
        self.asked += 1
        await self.held.wait()
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": self.kid, "alg": "ES256", "use": self.use}]}

    def token(self, algorithm: str = "ES256", key: Any = None, **changed: Any) -> str:
        claims = {"iss": "https://id.example", "aud": "foretick", "sub": "bob", "scope": "read openid"}
        claims |= {"exp": int(time.time()) + 60, **changed}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, key or self.key, algorithm, headers={"kid": self.kid})


@asynccontextmanager
async def provider() -> AsyncIterator[tuple[Provider, dict[str, Any]]]:
    """Run an identity provider; yield it and the gateway's settings for it."""
    found, app = Provider(), FastAPI()
    app.get("/keys")(found.published)
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
    yield found, {"jwks_url": url, "jwt_issuer": "https://id.example", "jwt_audience": "foretick"}
    server.should_exit = True
    await serving


def test_jwt_of_the_provider_opens_what_its_scope_says_and_its_keys_are_asked_for_once() -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            for _ in range(3):
                assert (await found.http.get("/api/symbols", headers=bearer(issuer.token()))).status_code == 200
            assert (await found.http.post("/predict", headers=bearer(issuer.token()), json={})).status_code == 403
            listed = issuer.token(scope=None, scp=["predict"])
            assert (await found.http.post("/predict", headers=bearer(listed), json={})).status_code == 422
            assert issuer.asked == 1

    run(check())


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 120},
        {"exp": None},
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"algorithm": "HS256", "key": "a shared secret that is long enough for HMAC"},
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"nbf": int(time.time()) + 3600},
        {"exp": float("inf")},
        {"exp": "soon"},
        {"exp": [1]},
        {"iat": float("nan")},
        {"sub": 5},
    ],
)
def test_jwt_that_is_not_to_be_trusted_is_refused(changed: dict[str, Any]) -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            answer = await found.http.get("/api/symbols", headers=bearer(issuer.token(**changed)))
            assert answer.status_code == 401, answer.text
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]

    run(check())


@pytest.mark.parametrize("scope", [5, True, 1.5, {"read": 1}, [["read"]], None, ""])
def test_jwt_whose_scope_is_no_text_opens_nothing(scope: object) -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            answer = await found.http.get("/api/symbols", headers=bearer(issuer.token(scope=scope)))
            assert answer.status_code == 403, answer.text

    run(check())


@pytest.mark.parametrize("token", ["tök", "☃.☃.☃", "a.b.c", "..", "\udcff", "é" * 10_000, "eyJhbGciOiJub25lIn0.e30."])
def test_token_of_any_characters_is_unknown(token: str) -> None:
    async def check() -> None:
        async with provider() as (_, settings), gateway(tokens=TOKENS, **settings) as found:
            raw = {b"Authorization": b"Bearer " + token.encode("utf-8", "surrogateescape")}
            assert (await found.http.get("/api/symbols", headers=raw)).status_code == 401
            form = b"token=" + quote_from_bytes(token.encode("utf-8", "surrogateescape")).encode()
            assert (await found.http.post("/sign-in", content=form)).status_code == 401
            cookie = {b"Cookie": f"{COOKIE}=".encode() + token.encode("utf-8", "surrogateescape")}
            assert (await found.http.get("/api/symbols", headers=cookie)).status_code == 401

    run(check())


def test_unknown_key_does_not_hold_up_those_that_are_known() -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            known = bearer(issuer.token())
            assert (await found.http.get("/api/symbols", headers=known)).status_code == 200
            jwts = found.app.state.keys._jwts
            jwts._again = -1.0
            issuer.held = asyncio.Event()
            foreign = jwt.encode({"sub": "x"}, issuer.key, "ES256", headers={"kid": "k9"})
            waiting = asyncio.create_task(found.http.get("/api/symbols", headers=bearer(foreign)))
            while issuer.asked < 2:
                await asyncio.sleep(0.01)
            assert (await found.http.get("/api/symbols", headers=known)).status_code == 200
            jwts._due = -1.0  # old keys are good until the provider has told of others
            assert (await found.http.get("/api/symbols", headers=known)).status_code == 200
            assert not waiting.done()
            issuer.held.set()
            assert (await waiting).status_code == 401

    run(check())


def test_key_for_encryption_signs_nothing() -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            issuer.use = "enc"
            assert (await found.http.get("/api/symbols", headers=bearer(issuer.token()))).status_code == 401

    run(check())


def test_jwt_while_the_provider_is_away_is_asked_to_come_back() -> None:
    async def check() -> None:
        settings = {
            "jwks_url": "http://127.0.0.1:9/keys",
            "jwt_issuer": "https://id.example",
            "jwt_audience": "foretick",
        }
        async with gateway(**settings) as found:
            answer = await found.http.get("/api/symbols", headers=bearer(Provider().token()))
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0

    run(check())


@pytest.mark.slow  # the token lives for a second and a half
def test_socket_ends_when_its_token_does() -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), running(**settings) as found:
            ends = bearer(issuer.token(exp=time.time() + 1.5))
            async with connect(found.socket("/live"), additional_headers=ends) as ws:
                await ws.wait_closed()
            assert ws.close_code == 3000

    run(check())


def test_sockets_of_one_token_or_address_are_limited_and_make_room_when_they_end() -> None:
    async def check() -> None:
        async with running(tokens=TOKENS, client_limit_per_token=1, client_limit_per_address=2) as found:
            async with connect(found.socket("/live"), additional_headers=bearer(READER)):
                assert await refused(found, additional_headers=bearer(READER)) == 429
                async with connect(found.socket("/live"), additional_headers=bearer(BOTH)):
                    assert await refused(found, additional_headers=bearer(BOTH)) == 429
            while found.parts.hub.size:
                await asyncio.sleep(0.01)
            async with connect(found.socket("/live"), additional_headers=bearer(READER)) as ws:
                await hear(ws, "hello")

    run(check())


def test_socket_whose_token_may_not_predict_is_told_and_stays() -> None:
    async def check() -> None:
        async with (
            running(tokens=TOKENS) as found,
            connect(found.socket("/forecast"), additional_headers=bearer(READER)) as ws,
        ):
            await ws.send('{"id": 1, "symbol": "AAPL"}')
            (told,) = await hear(ws, "error")
            assert told["error"]["status"] == 403
            await hear(ws, "heartbeat")

    run(check())


def test_budget_lets_a_burst_through_then_as_many_a_minute_each() -> None:
    now = 0.0
    budgets = Budgets(60, clock=lambda: now)
    assert [budgets.spend("alice") for _ in range(61)] == [0] * 60 + [1]
    assert budgets.spend("bob") == 0
    now = 1.0
    assert [budgets.spend("alice") for _ in range(2)] == [0, 1]
    assert Budgets(0).spend("anyone") == 0
    assert [Budgets(1, clock=lambda: 0.0).spend("x") for _ in range(2)] == [0, 0]


def test_predict_too_often_is_told_when_to_come_back() -> None:
    async def check() -> None:
        async with scoring() as (_, url), gateway(forecasting=url, predict_per_minute=2) as found:
            history = [{"ds": f"2012-01-0{day}", "y": 10.0 + day} for day in (3, 4)]
            answers = [await found.http.post("/predict", json={"history": history}) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert 1 <= int(answers[2].headers["Retry-After"]) <= 30

    run(check())
