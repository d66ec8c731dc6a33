"""The clock of the replay exchange, and what an exchange that is silent comes to."""

from datetime import UTC, datetime

import httpx
import pytest

from streaming.clock import RemoteClock, WallClock, clock_from
from streaming.errors import ClockAway, ServerAway
from streaming.settings import StreamSettings

NOW = datetime(2012, 1, 3, 21, tzinfo=UTC)


def clock(*answers: httpx.Response | Exception) -> RemoteClock:
    """Return a clock whose exchange answers so, and the last one again and again."""
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, Exception):
            raise given
        return given

    made = RemoteClock("http://exchange/clock")
    made._client = httpx.Client(transport=httpx.MockTransport(answer))
    return made


@pytest.mark.parametrize(
    "silence", [httpx.ConnectError("refused"), httpx.ReadTimeout("late"), httpx.Response(503), httpx.Response(404)]
)
def test_exchange_that_never_answered_is_a_server_that_is_away(silence: httpx.Response | Exception) -> None:
    with pytest.raises(ClockAway, match="the clock at http://exchange/clock does not answer"):
        clock(silence).now()
    assert issubclass(ClockAway, ServerAway)


def test_last_reading_stands_while_the_exchange_is_silent() -> None:
    found = clock(httpx.Response(200, json={"now": NOW.isoformat()}), httpx.ConnectError("refused"))
    assert [found.now(), found.now()] == [NOW, NOW]


def test_clock_is_the_machines_own_without_an_exchange() -> None:
    assert isinstance(clock_from(StreamSettings()), WallClock)
    assert isinstance(clock_from(StreamSettings(clock_url="http://127.0.0.1:8010/clock")), RemoteClock)
