"""What the relay does where the log is not what was written."""

import asyncio
import os
import signal
import threading

import pytest
from structlog.testing import capture_logs

from gateway.metrics import GatewayMetrics
from gateway.stream.hub import AWAY, Hub
from gateway.stream.relay import Relay
from streaming.damage import Damaged
from streaming.errors import KafkaAway
from streaming.settings import StreamSettings


class Reading(Relay):
    """Meets damage at each beginning; its broker is there, or away, as told."""

    def __init__(self) -> None:
        self.hub, self.begun, self.away, self.looks = Hub(), threading.Semaphore(0), False, 0
        super().__init__(StreamSettings(), [], self.hub, GatewayMetrics())
        self._epochs = {"stock-data": "one"}

    def _follow(self) -> None:
        self._again.clear()
        self.begun.release()
        raise Damaged("stock-data", 2, 1207, "nothing can be read there")

    def _look(self) -> tuple[dict[str, str], dict[tuple[str, int], int]]:
        self.looks += 1
        if self.away:
            raise KafkaAway("Kafka does not answer")
        return self._epochs, {}


async def begun(relay: Reading) -> None:
    assert await asyncio.to_thread(relay.begun.acquire, timeout=30)


def test_damage_is_read_no_further_and_told_until_the_broker_has_been_away() -> None:
    async def check() -> None:
        relay = Reading()
        relay.start(asyncio.get_running_loop())
        await begun(relay)
        while relay.hub.source != AWAY or not relay._damaged:
            await asyncio.sleep(0.01)
        assert "damaged at stock-data[2]@1207" in relay.reason
        watching = asyncio.create_task(relay.watch(every=0.01))
        while relay.looks < 5:
            await asyncio.sleep(0.01)
        assert relay.hub.source == AWAY  # the broker answers, and that is not enough
        assert "damaged at stock-data[2]@1207" in relay.reason
        assert not relay.begun.acquire(blocking=False)

        relay.away = True
        await begun(relay)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        await asyncio.to_thread(relay.stop)

    asyncio.run(check())


@pytest.mark.parametrize("where", ["_follow", "_look"])
def test_bug_ends_the_gateway_loudly_and_is_not_tried_again(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        sent: list[tuple[int, int]] = []
        monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
        tried: list[None] = []

        def bug(self: Relay) -> None:
            tried.append(None)
            raise AssertionError("neither a bar nor a forecast")

        monkeypatch.setattr(Reading, "_follow", lambda self: self._stop.wait())
        monkeypatch.setattr(Reading, where, bug)
        relay = Reading()
        with capture_logs() as logs:
            relay.start(asyncio.get_running_loop())
            watching = asyncio.create_task(relay.watch(every=0.01))
            while not sent:
                await asyncio.sleep(0.01)
        assert sent == [(os.getpid(), signal.SIGTERM)]
        assert tried == [None]
        assert relay.reason == relay.failed == "AssertionError: neither a bar nor a forecast"
        assert any("stopping" in entry["event"] for entry in logs)
        watching.cancel()
        await asyncio.to_thread(relay.stop)

    asyncio.run(check())
