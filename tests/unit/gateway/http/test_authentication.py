"""Who gets in: tokens, JWTs, tickets, cookies; what each address needs; and how often a caller may ask."""

import asyncio
import inspect
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any, cast
from urllib.parse import quote, quote_from_bytes

import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from gateway.access.jwts import ALGORITHMS
from gateway.access.rate_limit import RateLimit
from gateway.access.scopes import COOKIE, HOST_COOKIE, Caller, Credential
from gateway.access.sessions import Sessions
from gateway.access.tickets import TICKET_SECONDS, Tickets
from gateway.access.tokens import PREFIX, new_token, token_entry
from gateway.status.health import HealthCheck
from gateway.stream.relay import Relay
from streaming.serving import listen
from tests.support.event_streams import run
from tests.support.gateways import Gateway, gateway, scoring
from tests.unit.gateway.stream.test_sockets import hear, running

READER, BOTH, PREDICTOR = "ftk_reader", "ftk_both", "ftk_predictor"
TOKENS = [
    token_entry("reader", {"read"}, READER),
    token_entry("both", {"read", "predict"}, BOTH),
    token_entry("predictor", {"predict"}, PREDICTOR),
]
NOWHERE = "http://127.0.0.1:9"
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


def test_strangers_are_told_that_something_is_away_and_callers_with_read_what() -> None:
    class Away(HealthCheck):
        async def reasons(self) -> list[str]:
            return ["Kafka at 127.0.0.1:9092 does not answer"]

    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            parts = found.parts
            found.app.state.parts = replace(
                parts, health=Away(parts.settings, parts.hub, cast(Relay, None), parts.queries)
            )
            for headers, told in (
                (bearer(READER), True),
                (bearer(PREDICTOR), False),
                (bearer("other"), False),
                ({}, False),
            ):
                answer = await found.http.get("/health/ready", headers=headers)
                assert answer.status_code == 503
                assert any("127.0.0.1" in reason for reason in answer.json()["reasons"]) is told
                assert answer.json()["reasons"]

    run(check())


def test_lines_of_a_request_name_its_caller() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            found.queries.failure = RuntimeError("the cause")
            with capture_logs([merge_contextvars]) as lines:
                await found.http.get("/api/symbols", headers=bearer(READER))
                await found.http.get("/api/symbols", headers=bearer(BOTH))
            failed = [line for line in lines if line["event"] == "a request failed"]
            assert [line["caller"] for line in failed] == ["reader", "both"]
            assert len({line["request_id"] for line in failed}) == 2

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
            ticket = (await found.http.post("/api/ticket", headers=bearer(READER))).json()["ticket"]
            assert await refused(found, f"/live?ticket={ticket}") == 401
            by_ticket = [Subprotocol("foretick.v1"), Subprotocol(f"foretick.ticket.{ticket}")]
            async with connect(found.socket("/live"), subprotocols=by_ticket) as ws:
                await hear(ws, "hello")
            assert await refused(found, subprotocols=by_ticket) == 401

    run(check())


def test_ticket_too_old_or_unknown_is_nobodys() -> None:
    now = 100.0
    tickets = Tickets(clock=lambda: now)
    caller = Caller("alice", "127.0.0.1", kind="token")
    early, late = tickets.give(caller), tickets.give(caller)
    assert tickets.take(early) == caller
    assert tickets.take(early) is None
    now += TICKET_SECONDS
    assert tickets.take(late) is None
    assert tickets.take("none") is None


def test_token_ticket_and_session_are_the_systems_randomness_of_at_least_128_bits() -> None:
    asked: list[int] = []

    def random(octets: int) -> str:
        asked.append(octets)
        return secrets.token_urlsafe(octets)

    for made in (new_token, Tickets, Sessions):
        assert inspect.signature(made).parameters["random"].default is secrets.token_urlsafe
    tickets = Tickets(random=random)
    sessions = Sessions(60, 60, random=random)
    caller = Caller("alice", "127.0.0.1")
    given = {tickets.give(caller), new_token(random).removeprefix(PREFIX), sessions.begin(caller)}
    assert asked == [24, 32, 32]
    assert sorted(len(each) for each in given) == [32, 43, 43]  # nothing is cut off


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
            assert (await found.http.get("/market", headers=page)).status_code == 200
            assert (await found.http.get("/api/symbols")).status_code == 200

    run(check())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookie_goes_to_this_host_alone_and_over_tls_where_the_page_came_so(scheme: str) -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            for path in ("/sign-in", "/sign-out"):
                answer = await found.http.post(f"{scheme}://127.0.0.1{path}", data={"token": BOTH})
                cookies = [SimpleCookie(each) for each in answer.headers.get_list("Set-Cookie")]
                names = [name for cookie in cookies for name in cookie]
                own = HOST_COOKIE if scheme == "https" else COOKIE
                assert names == ([own] if path == "/sign-in" else [COOKIE, HOST_COOKIE])
                for kept in (kept for cookie in cookies for kept in cookie.values()):
                    assert bool(kept["secure"]) == (scheme == "https" or kept.key == HOST_COOKIE)
                    assert (kept["httponly"], kept["samesite"], kept["path"]) == (True, "strict", "/")
                    assert kept["domain"] == ""

    run(check())


def test_cookie_of_either_name_is_read_and_the_one_of_this_host_alone_first() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            session = found.app.state.keys.sessions.begin(await found.app.state.keys.caller(Credential(BOTH), ""))
            for name, status in ((COOKIE, 200), (HOST_COOKIE, 401)):  # another host may have set the first
                found.http.cookies.set(name, session if status == 200 else "stranger")
                assert (await found.http.get("/api/symbols")).status_code == status
            found.http.cookies.delete(COOKIE)
            found.http.cookies.set(HOST_COOKIE, session)
            assert (await found.http.get("/api/symbols")).status_code == 200
            assert "/sign-out" in (await found.http.get("/sign-in")).text

    run(check())


def test_request_with_a_cookie_from_another_site_is_refused() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            await found.http.post("/sign-in", data={"token": BOTH})
            for origin in ({}, {"Origin": "https://evil.example"}):
                assert (await found.http.post("/predict", json={}, headers=origin)).status_code == 403
            own = {"Origin": "http://127.0.0.1"}
            assert (await found.http.post("/predict", json={}, headers=own)).status_code == 422

    run(check())


def test_token_is_good_until_the_day_that_its_line_names() -> None:
    async def check() -> None:
        today = datetime.now(UTC).date()
        lines = [
            token_entry("past", {"read"}, READER, today),
            token_entry("future", {"read"}, BOTH, today + timedelta(days=2)),
        ]
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
            assert out.headers["Clear-Site-Data"] == '"cache"'
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
        self.moved = False  # /keys leads to /moved

    async def published(self) -> Any:
        self.asked += 1
        await self.held.wait()
        return RedirectResponse("/moved") if self.moved else self.keys()

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": self.kid, "alg": "ES256", "use": self.use}]}

    def token(self, algorithm: str = "ES256", key: Any = None, head: Any = (), **changed: Any) -> str:
        claims = {"iss": "https://id.example", "aud": "foretick", "sub": "bob", "scope": "read openid"}
        claims |= {"exp": int(time.time()) + 60, **changed}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, key or self.key, algorithm, headers={"kid": self.kid, **dict(head)})


@asynccontextmanager
async def provider() -> AsyncIterator[tuple[Provider, dict[str, Any]]]:
    """Run an identity provider; yield it and the gateway's settings for it."""
    found, app = Provider(), FastAPI()
    app.get("/keys")(found.published)
    app.get("/moved")(found.keys)
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
        {"sub": "x" * 256},
        {"head": {"typ": "dpop+jwt"}},
        {"head": {"typ": "logout+jwt"}},
        {"head": {"typ": "application/secevent+jwt"}},
    ],
)
def test_jwt_that_is_not_to_be_trusted_is_refused(changed: dict[str, Any]) -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            answer = await found.http.get("/api/symbols", headers=bearer(issuer.token(**changed)))
            assert answer.status_code == 401, answer.text
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]

    run(check())


def test_jwt_is_verified_by_the_listed_algorithms_and_the_providers_own_keys_alone() -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            evil = Provider()
            own = evil.keys()["keys"][0]
            heads = ({"jwk": own}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/x"})
            tokens = [evil.token(head=head) for head in ({}, *heads)]
            tokens += [jwt.encode({"sub": "x"}, "", "none", headers={"kid": issuer.kid})]
            for token in tokens:
                assert (await found.http.get("/api/symbols", headers=bearer(token))).status_code == 401
            assert (await found.http.get("/api/symbols", headers=bearer(issuer.token()))).status_code == 200

    assert {algorithm[:2] for algorithm in ALGORITHMS} == {"RS", "PS", "ES", "Ed"}  # neither shared secrets nor none
    run(check())


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/AT+JWT", None])
def test_jwt_of_an_access_tokens_type_is_taken(kind: str | None) -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            token = issuer.token(head={"typ": kind})
            assert (await found.http.get("/api/symbols", headers=bearer(token))).status_code == 200

    run(check())


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits")
@pytest.mark.parametrize(("bits", "least", "status"), [(1024, 2048, 401), (2048, 2048, 200), (2048, 3072, 401)])
def test_rsa_key_that_is_too_short_signs_nothing(bits: int, least: int, status: int) -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(jwt_rsa_bits=least, **settings) as found:
            key = rsa.generate_private_key(65537, bits)
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            issuer.keys = lambda: {"keys": [{**public, "kid": issuer.kid}]}  # type: ignore[method-assign]
            answer = await found.http.get("/api/symbols", headers=bearer(issuer.token("RS256", key)))
            assert answer.status_code == status, answer.text

    run(check())


@pytest.mark.parametrize(("acr", "status"), [("mfa", 200), ("phr", 200), ("pwd", 401), (None, 401), (["mfa"], 401)])
def test_jwt_without_the_level_of_sign_in_that_is_asked_for_is_refused(acr: object, status: int) -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(jwt_acr=["mfa", "phr"], **settings) as found:
            answer = await found.http.get("/api/symbols", headers=bearer(issuer.token(acr=acr)))
            assert answer.status_code == status, answer.text

    run(check())


def test_subject_and_token_of_the_same_name_are_two_callers() -> None:
    async def check() -> None:
        limits = {"client_limit_per_token": 1, "predict_per_minute": 1, "forecasting": NOWHERE}
        async with provider() as (issuer, settings), running(tokens=TOKENS, **limits, **settings) as found:
            of_jwt = bearer(issuer.token(sub="reader"))
            async with (
                connect(found.socket("/live"), additional_headers=bearer(READER)),
                connect(found.socket("/live"), additional_headers=of_jwt),
            ):
                assert await refused(found, additional_headers=of_jwt) == 429
            history = {"history": [{"ds": f"2012-01-0{day}", "y": 10.0 + day} for day in (3, 4)]}
            both = issuer.token(sub="both", scope="predict")
            for token, status in ((BOTH, 503), (both, 503), (both, 429)):  # nobody makes predictions here
                answer = await found.http.post("/predict", json=history, headers=bearer(token))
                assert answer.status_code == status, answer.text

    run(check())


def test_provider_that_leads_elsewhere_is_not_followed() -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            issuer.moved = True
            assert (await found.http.get("/api/symbols", headers=bearer(issuer.token()))).status_code == 503

    run(check())


def test_sign_in_shows_what_is_wrong_as_text() -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            token = issuer.token(head={"kid": "<script>alert(1)</script>"})
            answer = await found.http.post("/sign-in", content=f"token={quote(token)}")
            assert answer.status_code == 401
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
            assert "<script" not in answer.text

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
            "jwks_url": f"{NOWHERE}/keys",
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
    budgets = RateLimit(60, clock=lambda: now)
    assert [budgets.spend("alice") for _ in range(61)] == [0] * 60 + [1]
    assert budgets.spend("bob") == 0
    now = 1.0
    assert [budgets.spend("alice") for _ in range(2)] == [0, 1]
    assert RateLimit(0).spend("anyone") == 0
    assert [RateLimit(1, clock=lambda: 0.0).spend("x") for _ in range(2)] == [0, 0]


def test_requests_too_often_are_told_when_to_come_back_to_each_caller_and_to_who_guesses() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS, requests_per_minute=2) as found:
            for token, wanted in ((READER, 200), (BOTH, 200), ("ftk_stranger", 401)):
                answers = [await found.http.get("/api/symbols", headers=bearer(token)) for _ in range(3)]
                assert [answer.status_code for answer in answers] == [wanted, wanted, 429]
                assert 1 <= int(answers[2].headers["Retry-After"]) <= 30
            assert (await found.http.post("/sign-in", content="token=ftk_stranger")).status_code == 429
            assert (await found.http.get("/health/live")).status_code == 200
            assert (await found.http.get("/")).status_code == 200
        async with gateway(requests_per_minute=2) as found:  # asks nobody, and so is on loopback
            answers = [await found.http.get("/api/symbols") for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 200]

    run(check())


def lines_of(logs: Any, event: str) -> list[tuple[Any, ...]]:
    return [(line.get("kind"), line.get("caller")) for line in logs if line["event"] == event]


def test_who_comes_in_signs_in_or_is_refused_is_logged_without_what_they_show() -> None:
    async def check() -> None:
        limits = {"predict_per_minute": 1, "forecasting": NOWHERE, "body_limit": 2000}
        async with gateway(tokens=TOKENS, **limits) as found:
            http, history = found.http, [{"ds": f"2012-01-0{day}", "y": 10.0 + day} for day in (3, 4)]
            with capture_logs() as logs:
                for _ in range(2):
                    await http.get("/api/symbols", headers=bearer(READER))
                    await http.post("/predict", headers=bearer(BOTH), json={"history": history})
                await http.post("/predict", headers=bearer(READER), json={})
                await http.get("/api/symbols?token=ftk_stranger")
                await http.get("/api/symbols", headers=bearer("ftk_stranger"))
                await http.get("/api/symbols", headers={"Host": "evil.example"})
                await http.post("/api/csv", headers=bearer(READER), content=b"x" * 2001)
                await http.post("/sign-in", content=b"token=ftk_stranger", headers={"Origin": "https://evil.example"})
                await http.post("/sign-in", content=b"token=ftk_stranger")
                await http.post("/sign-in", content=b"token=" + BOTH.encode())
        assert lines_of(logs, "came in") == [("token", "reader"), ("token", "both")]
        assert lines_of(logs, "signed in") == [("token", "both")]
        assert lines_of(logs, "refused") == [
            ("too-many-predictions", "both"),
            ("scope-needed", "reader"),
            ("token-needed", "127.0.0.1"),
            ("token-unknown", "127.0.0.1"),
            ("foreign-host", ""),
            ("too-large", ""),
            ("foreign-origin", "127.0.0.1"),
            ("token-unknown", "127.0.0.1"),
        ]
        assert {line["address"] for line in logs if line["event"] == "refused"} == {"127.0.0.1"}
        assert "ftk_" not in str(logs)

    run(check())


def test_socket_that_is_refused_is_logged() -> None:
    async def check() -> None:
        async with (
            running(tokens=TOKENS, client_limit_per_token=1) as found,
            connect(found.socket("/forecast"), additional_headers=bearer(READER)) as ws,
        ):
            with capture_logs() as logs:
                assert await refused(found, additional_headers=bearer(READER)) == 429
                assert await refused(found, additional_headers={"Authorization": "Bearer no"}) == 401
                await ws.send('{"id": 1, "symbol": "AAPL"}')
                await hear(ws, "error")
        kinds = [("too-many-sockets", "reader"), ("token-unknown", "127.0.0.1"), ("scope-needed", "reader")]
        assert lines_of(logs, "refused") == kinds

    run(check())


def test_predict_too_often_is_told_when_to_come_back() -> None:
    async def check() -> None:
        async with scoring() as (_, url), gateway(forecasting=url, predict_per_minute=2) as found:
            history = [{"ds": f"2012-01-0{day}", "y": 10.0 + day} for day in (3, 4)]
            answers = [await found.http.post("/predict", json={"history": history}) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert 1 <= int(answers[2].headers["Retry-After"]) <= 30

    run(check())
