"""Sockets over a real server: who gets in, what they are told, and how they end."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.stream.hub import Hub
from gateway.stream.messages import Message
from tests.support.event_streams import TOPIC, MemoryLog, gaps, made, offsets, read, run
from tests.support.gateways import Gateway, gateway, scoring
from tests.support.waiting import PATIENCE

FORECASTS = "stock-forecasts"
pytestmark = pytest.mark.slow  # graces, heartbeats and patience pass in real time


def opened() -> Hub:
    hub = Hub(heartbeat_every=0.2)
    hub.open(TOPIC, "e1", {0: 10}, floors={0: 5}, past=[made(offset) for offset in range(5, 10)])
    hub.open(FORECASTS, "f1", {0: 0})
    return hub


@asynccontextmanager
async def running(**given: Any) -> AsyncIterator[Gateway]:
    given = {"resume_grace": 0.1, "heartbeat_seconds": 0.2, **given}
    log = MemoryLog({0: [made(offset) for offset in range(10)]})
    async with gateway(given.pop("hub", None) or opened(), log, listening=True, **given) as found:
        yield found


async def hear(ws: ClientConnection, *kinds: str, count: int = 1) -> list[dict[str, Any]]:
    """Read until `count` messages of these kinds came; heartbeats only if asked for."""
    heard: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE * 10):
        while sum(each["type"] in kinds for each in heard) < count:
            heard += [each for each in read(str(await ws.recv())) if each["type"] in kinds]
    return heard


def test_socket_opened_is_greeted_with_epochs_and_positions() -> None:
    async def check() -> None:
        async with running() as found, connect(found.socket("/live")) as ws:
            (hello,) = await hear(ws, "hello")
            assert hello["epochs"] == {TOPIC: "e1"}
            assert hello["positions"] == {TOPIC: {"0": 9}}

    run(check())


def test_socket_that_says_nothing_goes_live_after_the_grace_and_misses_nothing_meanwhile() -> None:
    async def check() -> None:
        async with running(resume_grace=0.3) as found, connect(found.socket("/live")) as ws:
            await hear(ws, "hello")
            found.parts.hub.publish([made(10)])  # within the grace
            assert offsets(await hear(ws, "bar")) == [10]
            found.parts.hub.publish([made(11)])
            assert offsets(await hear(ws, "bar")) == [11]

    run(check())


def test_socket_that_resumes_gets_the_log_then_memory_then_live() -> None:
    async def check() -> None:
        async with running() as found, connect(found.socket("/live")) as ws:
            await ws.send(json.dumps({"type": "resume", "positions": {TOPIC: {"0": 2}}, "epochs": {TOPIC: "e1"}}))
            assert offsets(await hear(ws, "bar", count=7)) == [3, 4, 5, 6, 7, 8, 9]
            found.parts.hub.publish([made(10)])
            assert offsets(await hear(ws, "bar")) == [10]

    run(check())


def test_socket_that_resumes_too_late_is_told_the_gap() -> None:
    async def check() -> None:
        async with running(resume_grace=0.01) as found, connect(found.socket("/live")) as ws:
            await hear(ws, "heartbeat")
            await asyncio.sleep(0.1)
            await ws.send(json.dumps({"type": "resume", "positions": {TOPIC: {"0": 2}}}))
            told = await hear(ws, "gap", "error", count=2)
            assert gaps(told) == [(0, 3, 9, "late")]
            assert "first message" in next(each for each in told if each["type"] == "error")["error"]["detail"]

    run(check())


def test_socket_before_kafka_is_read_is_open_and_greeted_again_when_it_is() -> None:
    async def check() -> None:
        hub = Hub(heartbeat_every=0.1)
        async with running(hub=hub) as found, connect(found.socket("/live")) as ws:
            (hello,) = await hear(ws, "hello")
            assert hello["positions"] == {}
            (beat,) = await hear(ws, "heartbeat")
            assert beat["source"] == "starting"
            hub.open(TOPIC, "e1", {0: 4})
            (hello,) = await hear(ws, "hello")
            assert hello["positions"] == {TOPIC: {"0": 3}}
            hub.publish([made(4)])
            assert offsets(await hear(ws, "bar")) == [4]

    run(check())


def test_socket_of_symbols_gets_theirs_only() -> None:
    async def check() -> None:
        async with running() as found, connect(found.socket("/live?symbols=IBM,%20MSFT")) as ws:
            await ws.send('{"type": "resume"}')
            await hear(ws, "hello")
            symbols = ["AAPL", "IBM", "GOOG", "MSFT"]
            found.parts.hub.publish([made(10 + at, symbol) for at, symbol in enumerate(symbols)])
            assert offsets(await hear(ws, "bar", count=2)) == [11, 13]

    run(check())


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost.evil.com"])
def test_socket_of_a_foreign_page_is_refused_before_accept(origin: str) -> None:
    async def check() -> None:
        async with running() as found:
            with pytest.raises(InvalidStatus) as refused:
                await connect(found.socket("/live"), origin=origin).__aenter__()  # type: ignore[arg-type]
            assert refused.value.response.status_code == 403
            assert b"foreign-origin" in (refused.value.response.body or b"")

    run(check())


def test_socket_of_our_own_page_or_a_listed_one_is_let_in() -> None:
    async def check() -> None:
        async with running(origins=["http://localhost:4200"]) as found:
            for origin in (f"http://127.0.0.1:{found.port}", "http://localhost:4200"):
                async with connect(found.socket("/live"), origin=origin) as ws:  # type: ignore[arg-type]
                    await hear(ws, "hello")

    run(check())


def test_socket_to_a_foreign_host_name_is_refused() -> None:
    async def check() -> None:
        async with running() as found:
            with pytest.raises(InvalidStatus) as refused:
                await connect("ws://rebound.example/live", host="127.0.0.1", port=found.port).__aenter__()
            assert refused.value.response.status_code == 403

    run(check())


def test_socket_beyond_the_limit_is_refused() -> None:
    async def check() -> None:
        async with running(client_limit=1) as found, connect(found.socket("/live")) as ws:
            await hear(ws, "hello")
            with pytest.raises(InvalidStatus) as refused:
                await connect(found.socket("/live")).__aenter__()
            assert refused.value.response.status_code == 503

    run(check())


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "null",
        '"resume"',
        b"\xff\xfe",
        '{"type": "resume", "positions": 3}',
        '{"type": "resume", "positions": {"stock-data": {"0": "x"}}}',
        '{"type": "subscribe"}',
        '{"symbol": "AAPL"}',
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_socket_that_says_nonsense_is_told_so_and_stays(message: str | bytes) -> None:
    async def check() -> None:
        async with running() as found, connect(found.socket("/live")) as ws:
            await ws.send(message)
            (error,) = await hear(ws, "error")
            assert error["error"]["status"] == 400
            assert re.search("JSON|string of at most|/forecast|resume|offset", error["error"]["detail"])
            found.parts.hub.publish([made(10)])
            assert offsets(await hear(ws, "bar")) == [10]

    run(check())


def test_socket_that_asks_for_predictions_gets_each_under_its_id() -> None:
    async def check() -> None:
        points = [{"ds": f"2012-01-0{day}T21:00:00Z", "y": 10.0 + day} for day in (3, 4)]
        async with (
            scoring() as (stand_in, url),
            running(forecasting=url) as found,
            connect(found.socket("/forecast")) as ws,
        ):
            await ws.send(json.dumps({"id": "a", "history": points, "horizon": 2}))
            await ws.send(json.dumps({"id": 7, "type": "predict", "history": points[::-1]}))
            await ws.send(json.dumps({"id": "c", "symbol": "NONE"}))
            await ws.send(json.dumps({"id": "d", "symbol": "AAPL", "horizon": 99}))
            answers = {each["id"]: each for each in await hear(ws, "prediction", "error", count=4)}
            assert answers["a"]["type"] == "prediction"
            assert len(answers["a"]["data"]["steps"]) == 2
            assert answers["a"]["data"]["origin"] == "2012-01-04T21:00:00Z"
            assert answers[7]["error"]["status"] == 422
            assert answers["c"]["error"]["type"].endswith("unknown-symbol")
            assert answers["d"]["error"]["errors"][0]["where"] == "horizon"
            faulty = {
                "horizon": {"symbol": "AAPL", "horizon": True},
                "history.0.y": {"history": [{"ds": "2012-01-03", "y": "411.2"}]},
                "history.0.ds": {"history": [{"ds": "9999-12-31", "y": 411.2}]},
                "interval": {"symbol": "AAPL", "interval": "PT1H"},
                "model": {"symbol": "AAPL", "model": ["arima"]},
            }
            for where, request in faulty.items():
                await ws.send(json.dumps({"id": where, **request}))
                (each,) = await hear(ws, "error")
                assert (each["error"]["status"], each["error"]["errors"][0]["where"]) == (422, where)
            await ws.send(json.dumps({"id": "m", "history": points, "model": "arima"}))
            await hear(ws, "prediction")
            assert stand_in.models == [None, "arima"]
            await ws.send(json.dumps({"id": "e"}))
            await ws.send(json.dumps({"id": "f", "type": "dance"}))
            told = {each["id"]: each["error"]["detail"] for each in await hear(ws, "error", count=2)}
            assert told["e"] == 'give either "symbol" or "history"'
            assert "the type 'dance'; it takes" in told["f"]

    run(check())


def test_socket_with_too_many_predictions_in_flight_is_told_to_wait() -> None:
    async def check() -> None:
        points = [{"ds": f"2012-01-0{day}", "y": 10.0} for day in (3, 4)]
        async with (
            scoring() as (stand_in, url),
            running(forecasting=url, socket_predictions=2) as found,
            connect(found.socket("/forecast")) as ws,
        ):
            stand_in.delay = 0.5
            for number in range(3):
                await ws.send(json.dumps({"id": number, "history": points}))
            (error,) = await hear(ws, "error")
            assert (error["id"], error["error"]["status"]) == (2, 429)
            assert {each["id"] for each in await hear(ws, "prediction", count=2)} == {0, 1}

    run(check())


def big(offset: int, symbol: str) -> Message:
    plain = made(offset, symbol)
    padding = plain.body[:-1] + f', "padding": "{"x" * 20_000}"}}'
    return Message(TOPIC, 0, offset, symbol, "P1D", "", (symbol, "P1D"), padding, 0.0)


async def quiet(port: int, path: str = "/live") -> socket.socket:
    """Open a socket by hand that reads nothing and answers no ping."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, ("127.0.0.1", port))
    upgrade = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(raw, upgrade.encode())
    return raw


async def end_of(ws: ClientConnection) -> tuple[int, str]:
    """Read to the end; return the code and reason it came with."""
    with suppress(ConnectionClosed):
        while True:
            await ws.recv()
    return ws.close_code or 0, ws.close_reason or ""


async def until(condition: Any, seconds: float = 15) -> None:
    async with asyncio.timeout(PATIENCE * seconds):
        while not condition():
            await asyncio.sleep(0.02)


def test_socket_that_stalls_is_closed_as_slow_while_another_gets_everything() -> None:
    async def check() -> None:
        async with running(client_queue=20, client_patience=0.5) as found:
            hub, metrics = found.parts.hub, found.parts.metrics
            stalled = await quiet(found.port)
            async with connect(found.socket("/live")) as brisk:
                await brisk.send('{"type": "resume"}')
                await until(lambda: sum(map(len, hub.clients.values())) == 2)
                seen: list[int] = []

                async def reading() -> None:
                    async for frame in brisk:
                        seen.extend(offsets(read(str(frame))))

                reader = asyncio.create_task(reading())
                for offset in range(10, 410):
                    hub.publish([big(offset, f"S{offset % 5}")])
                    await asyncio.sleep(0)
                    if offset % 5 == 4:  # what one frame holds; the brisk one keeps up
                        await until(lambda: len(seen) == offset - 9)  # noqa: B023 (called at once)
                await until(lambda: metrics.closes.labels("3008")._value.get() == 1)
                hub.publish([big(410, "S0")])
                await until(lambda: seen == list(range(10, 411)))
                reader.cancel()
            assert metrics.conflated._value.get() > 0
            stalled.close()

    run(check())


def test_socket_that_was_too_slow_and_reads_on_sees_3008() -> None:
    async def check() -> None:
        async with running(client_queue=20, client_patience=0.3) as found:
            hub = found.parts.hub
            async with connect(found.socket("/live"), max_queue=1) as ws:  # it stops reading when one frame waits
                await until(lambda: sum(map(len, hub.clients.values())) == 1)
                offset = 10
                while hub.size and next(iter(hub.everyone())).open:
                    hub.publish([big(offset, f"S{offset % 3}")])
                    offset += 1
                    await asyncio.sleep(0.002)
                assert (await end_of(ws))[0] == 3008

    run(check())


def test_socket_whose_peer_answers_no_ping_is_found_within_15_s() -> None:
    async def check() -> None:
        async with running() as found:
            silent = await quiet(found.port)
            await until(lambda: found.parts.hub.size == 1)
            await until(lambda: found.parts.hub.size == 0, 15)
            silent.close()

    run(check())


def test_socket_at_shutdown_is_told_that_we_come_back() -> None:
    async def check() -> None:
        async with running() as found, connect(found.socket("/live")) as one, connect(found.socket("/forecast")) as two:
            await hear(one, "hello")
            await hear(two, "hello")
            found.stop()
            for ws in (one, two):
                code, reason = await end_of(ws)
                assert code == 1012
                assert "come back" in reason

    run(check())
