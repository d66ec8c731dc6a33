"""What time it is: on the wall, or on a replay exchange whose days pass in seconds."""

from datetime import UTC, datetime
from typing import Protocol

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from streaming.errors import ClockAway
from streaming.settings import StreamSettings


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""


class WallClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class RemoteClock:
    """The simulated clock of a replay exchange.

    While the exchange is away the last reading stands: simulated time is then not known to have moved.
    """

    def __init__(self, url: str, timeout: float = 2.0) -> None:
        self._url = url
        self._client = httpx.Client(timeout=timeout)
        self._last: datetime | None = None

    def now(self) -> datetime:
        """Return the exchange's time.

        Raises:
            ClockAway: the exchange is away and no earlier reading exists.
        """
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(httpx.TransportError),
                stop=stop_after_attempt(3),
                wait=wait_exponential_jitter(initial=0.05, max=0.5),
                reraise=True,
            ):
                with attempt:
                    answer = self._client.get(self._url).raise_for_status().json()
                    self._last = datetime.fromisoformat(answer["now"])
        except httpx.HTTPError as error:
            if self._last is None:
                raise ClockAway(f"the clock at {self._url} does not answer: {type(error).__name__}: {error}") from error
        assert self._last is not None
        return self._last


def clock_from(settings: StreamSettings) -> Clock:
    """Return the clock that the settings name."""
    return RemoteClock(settings.clock_url) if settings.clock_url else WallClock()
