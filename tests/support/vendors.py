"""Recorded answers, a vendor that gives them in turn, and the shares of the replay exchange."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx
from pydantic import SecretStr

from producers.exchange.market import Listing
from producers.exchange.replay import load_listings
from producers.sources.budget import Budget
from producers.sources.web import VendorAnswer, Web

RECORDED = Path(__file__).parent / "recorded"
NOW = datetime(2024, 12, 2, 22, tzinfo=UTC)


def recorded(name: str) -> str:
    return (RECORDED / name).read_text()


def answer(name: str, status: int = 200) -> VendorAnswer:
    return VendorAnswer(status, recorded(name))


class Vendor:
    """Answers each request with the next response or exception given; the last one again and again."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        given = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, content=given.content)

    def web(
        self,
        *,
        key: str = "SECRETKEY",
        budget: Budget | None = None,
        name: str = "vendor",
        now: Callable[[], float] = time.monotonic,
    ) -> Web:
        sleep: Callable[[float], None] = self.waits.append
        transport = httpx.MockTransport(self)
        return Web(name, budget=budget, secrets=[SecretStr(key)], sleep=sleep, transport=transport, now=now)


@cache
def listings() -> dict[str, Listing]:
    return load_listings()
