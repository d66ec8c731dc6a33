"""Sessions: begun at a sign-in, ended by time, by their person, or by who runs the gateway; and tokens taken back."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gateway.access.scopes import COOKIE, Caller
from gateway.access.sessions import MOST_OF_A_CALLER, Sessions
from gateway.access.tokens import Register, token_entry
from gateway.stream import sockets
from streaming import watched
from tests.support.event_streams import run
from tests.support.gateways import Gateway, gateway
from tests.unit.gateway.http.test_authentication import BOTH, READER, TOKENS, bearer, provider, refused
from tests.unit.gateway.stream.test_sockets import hear, running

ALICE, BOB = Caller("alice", "127.0.0.1", kind="token"), Caller("bob", "127.0.0.1", kind="token")
OWN = {"Origin": "http://127.0.0.1"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at files, and at who may stay, all the time."""
    monkeypatch.setattr(watched, "_LOOK", 0.0)
    monkeypatch.setattr(sockets, "SECONDS_BETWEEN_LOOKS", 0.01)


class Times:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_session_ends_unused_and_at_its_longest_however_much_it_is_used() -> None:
    times = Times()
    sessions = Sessions(idle=60, longest=150, clock=times)
    used, unused = sessions.begin(ALICE), sessions.begin(ALICE)
    for times.now in (50, 100, 149):
        assert (sessions.use(used) is not None, sessions.use("other")) == (True, None)
        assert len(sessions.of(ALICE)) == (2 if times.now < 60 else 1)
    assert sessions.use(unused) is None
    times.now = 150
    assert sessions.use(used) is None
    assert sessions.of(ALICE) == []


def test_sessions_of_a_caller_are_told_apart_and_too_many_end_those_unused_for_longest() -> None:
    times = Times()
    sessions = Sessions(idle=1000, longest=1000, clock=times)
    others = sessions.begin(BOB)
    shown = []
    for times.now in range(MOST_OF_A_CALLER + 1):
        shown.append(sessions.begin(ALICE))
        assert sessions.use(shown[0])
    assert sessions.use(shown[1]) is None
    assert [sessions.use(each) is not None for each in (shown[0], *shown[2:], others)] == [True] * (
        MOST_OF_A_CALLER + 1
    )
    assert len({each.name for each in sessions.of(ALICE)}) == MOST_OF_A_CALLER
    assert not {each.name for each in sessions.of(ALICE)} & set(shown)  # a name opens nothing


def test_sessions_of_all_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.access.sessions.MOST_SESSIONS", 3)
    sessions = Sessions(idle=10, longest=10)
    shown = [sessions.begin(Caller(name, "127.0.0.1", kind="jwt")) for name in "abcd"]
    assert [sessions.use(each) is not None for each in shown] == [False, True, True, True]


async def cookie(found: Gateway, token: str = BOTH, **options: Any) -> str:
    """Sign in; return what the cookie holds, and leave no cookie behind."""
    answer = await found.http.post("/sign-in", data={"token": token}, **options)
    assert answer.status_code == 303, answer.text
    found.http.cookies.clear()
    return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE].value


async def asked(found: Gateway, session: str) -> int:
    return (await found.http.get("/api/symbols", headers={"Cookie": f"{COOKIE}={session}"})).status_code


def test_cookie_holds_no_token_and_is_another_at_each_sign_in_which_ends_the_one_before() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            first, second = await cookie(found), await cookie(found)
            third = await cookie(found, headers={"Cookie": f"{COOKIE}={second}", **OWN})
            assert len({first, second, third, BOTH}) == 4
            assert [await asked(found, each) for each in (first, second, third, BOTH)] == [200, 401, 200, 401]
            answer = await found.http.get("/api/symbols", headers=bearer(first))
            assert answer.status_code == 401  # it is no token

    run(check())


def test_signing_out_ends_the_session_wherever_its_cookie_went_and_its_sockets() -> None:
    async def check() -> None:
        async with running(tokens=TOKENS) as found:
            ended, other = await cookie(found), await cookie(found)
            headers = [{"Cookie": f"{COOKIE}={each}"} for each in (ended, other)]
            async with (
                connect(found.socket("/live"), additional_headers=headers[0]) as closed,
                connect(found.socket("/live"), additional_headers=headers[1]) as open_,
            ):
                await hear(closed, "hello")
                own = {**headers[0], "Origin": f"http://127.0.0.1:{found.port}"}
                ticket = (await found.http.post("/api/ticket", headers=own)).json()["ticket"]
                out = await found.http.post("/sign-out", headers=headers[0])
                assert out.status_code == 303
                await closed.wait_closed()
                assert (closed.close_code, closed.close_reason) == (3000, "the session has ended")
                by_ticket = [Subprotocol("foretick.v1"), Subprotocol(f"foretick.ticket.{ticket}")]
                assert await refused(found, subprotocols=by_ticket) == 401
                await hear(open_, "heartbeat")
            assert [await asked(found, each) for each in (ended, other)] == [401, 200]

    run(check())


async def marked(found: Gateway) -> list[str]:
    return re.findall(r'name="session" value="([^"]+)"', (await found.http.get("/sign-in")).text)


def test_person_sees_their_sessions_and_ends_some_by_showing_the_token_again() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            foreign, other = await cookie(found, READER), await cookie(found)
            await found.http.post("/sign-in", data={"token": BOTH})
            here, there = await marked(found)
            assert "alice" not in (page := (await found.http.get("/sign-in")).text)
            assert ("<b>both</b>" in page, page.count("(here)")) == (True, 2)  # in the row, and for screen readers
            assert other not in page

            async def end(token: str, *sessions: str) -> httpx.Response:
                form = {"token": token, "session": list(sessions)}
                return await found.http.post("/sign-in/sessions", data=form, headers=OWN)

            for token, status in ((READER, 403), ("ftk_stranger", 401), ("", 401)):
                answer = await end(token, there)
                assert (answer.status_code, 'role="alert"' in answer.text) == (status, True)
            assert await asked(found, other) == 200
            readers = found.app.state.keys.sessions.use(foreign).session
            with capture_logs() as logs:
                assert (await end(BOTH, there, readers)).status_code == 303
            assert [line["sessions"] for line in logs if line["event"] == "sessions ended"] == [1]
            assert (await asked(found, other), await asked(found, foreign)) == (401, 200)
            assert await marked(found) == [here]

    run(check())


def test_stranger_ends_no_sessions() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            session = await cookie(found)
            name = found.app.state.keys.sessions.use(session).session
            form = {"token": BOTH, "session": name}
            answer = await found.http.post("/sign-in/sessions", data=form)
            assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
            evil = await found.http.post("/sign-in/sessions", data=form, headers={"Origin": "https://evil.example"})
            assert evil.status_code == 403
            assert await asked(found, session) == 200

    run(check())


@pytest.mark.parametrize(("exp", "year"), [(253_402_300_000, 9999), (10**17, 9999), (4_102_444_800, 2100)])
def test_jwt_that_ends_after_all_calendars_is_a_callers_like_others(exp: int, year: int) -> None:
    async def check() -> None:
        async with provider() as (issuer, settings), gateway(**settings) as found:
            token = issuer.token(exp=exp)
            told = (await found.http.get("/api/caller", headers=bearer(token))).json()
            assert (told["name"], told["until"][:4]) == ("bob", str(year))
            assert await asked(found, await cookie(found, token)) == 200

    run(check())


def test_caller_is_told_who_they_are_and_whether_they_can_sign_out() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as found:
            known = {"name": "both", "kind": "token", "scopes": ["predict", "read"], "until": None}
            assert (await found.http.get("/api/caller", headers=bearer(BOTH))).json() == {**known, "session": False}
            await found.http.post("/sign-in", data={"token": BOTH})
            assert (await found.http.get("/api/caller")).json() == {**known, "session": True}
        async with gateway() as found:
            assert (await found.http.get("/api/caller")).json()["kind"] == "address"
            answer = await found.http.post("/sign-in", data={"token": "any"})
            assert (answer.status_code, "Set-Cookie" in answer.headers) == (303, False)

    run(check())


@asynccontextmanager
async def three_ways(found: Gateway, shown: str) -> AsyncIterator[tuple[str, list[ClientConnection]]]:
    """Come in by a token, or a JWT: by a session, by a socket of it, and by a socket of the token."""
    session = await cookie(found, shown)
    async with (
        connect(found.socket("/live"), additional_headers=bearer(shown)) as by_token,
        connect(found.socket("/live"), additional_headers={"Cookie": f"{COOKIE}={session}"}) as by_session,
    ):
        for each in (by_token, by_session):
            await hear(each, "hello")
        assert await asked(found, session) == 200
        yield session, [by_token, by_session]


@pytest.mark.parametrize(
    "now", ["", token_entry("both", {"read"}, BOTH), token_entry("another", {"read", "predict"}, BOTH)]
)
def test_token_that_is_taken_back_or_changed_counts_no_more_nor_do_its_sessions_and_sockets(
    now: str, tmp_path: Path
) -> None:
    async def check() -> None:
        file = tmp_path / "tokens"
        file.write_text(token_entry("both", {"read", "predict"}, BOTH))
        async with running(tokens=TOKENS[:1], tokens_file=file) as found:
            async with three_ways(found, BOTH) as (session, open_):
                file.write_text(f"# taken back\n{now}")
                for each in open_:
                    await each.wait_closed()
                    assert (each.close_code, each.close_reason) == (3000, "the token was taken back or changed")
            assert await asked(found, session) == 401
            again = await found.http.get("/api/symbols", headers=bearer(BOTH))
            assert again.status_code == (200 if now else 401)
            assert (await found.http.get("/api/symbols", headers=bearer(READER))).status_code == 200

    run(check())


def test_subject_that_is_denied_is_out_whatever_its_jwt_says(tmp_path: Path) -> None:
    async def check() -> None:
        file = tmp_path / "tokens"
        file.write_text("")
        async with provider() as (issuer, settings), running(tokens_file=file, **settings) as found:
            token = issuer.token(sub="auth0|5:bob smith")
            async with three_ways(found, token) as (session, open_):
                file.write_text("deny auth0|5:bob smith\n")
                for each in open_:
                    await each.wait_closed()
                    assert each.close_code == 3000
            assert await asked(found, session) == 401
            assert (await found.http.get("/api/symbols", headers=bearer(token))).status_code == 401
            assert (await found.http.get("/api/symbols", headers=bearer(issuer.token()))).status_code == 200

    run(check())


def test_tokens_file_that_is_broken_or_away_leaves_the_tokens_as_they_were_and_is_told(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(token_entry("alice", {"read"}, READER))
    register = Register([], file)
    for broken in (b"alice:read", b"\xff\xfe", None):
        file.unlink() if broken is None else file.write_bytes(broken)
        with capture_logs() as logs:
            assert [bool(register.grants.of(READER)) for _ in range(2)] == [True, True]
        assert [line["log_level"] for line in logs] == ["error"]  # once
        assert "ftk_" not in str(logs)
    file.write_text(token_entry("bob", {"read"}, BOTH))
    assert (register.grants.of(READER), bool(register.grants.of(BOTH))) == (None, True)
    same = file.stat()
    file.write_text(token_entry("eve", {"read"}, BOTH))
    os.utime(file, ns=(same.st_atime_ns, same.st_mtime_ns + 1))
    known = register.grants.of(BOTH)
    assert known
    assert known[1].name == "eve"
