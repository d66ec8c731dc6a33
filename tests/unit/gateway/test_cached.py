"""Answers are kept for a while, each question's apart, and failures never."""

import asyncio
from types import SimpleNamespace

import pytest

from gateway import cached
from gateway.cached import CachedAnswers
from tests.support.event_streams import run


class Worker:
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: Exception | None = None

    async def answer(self, question: str) -> str:
        await asyncio.sleep(0)
        self.asked.append(question)
        if self.failure:
            raise self.failure
        return f"{question} {len(self.asked)}"


def test_those_who_ask_at_once_share_one_answer():
    async def check():
        worker = Worker()
        kept = CachedAnswers(60, worker.answer)
        assert set(await asyncio.gather(*(kept.of("a") for _ in range(5)))) == {"a 1"}
        assert await kept.of("b") == "b 2"
        assert await kept.of("a") == "a 1"

    run(check())


def test_answer_is_worked_out_again_after_its_time(monkeypatch: pytest.MonkeyPatch):
    async def check():
        worker, now = Worker(), 0.0
        monkeypatch.setattr(cached, "time", SimpleNamespace(monotonic=lambda: now))
        kept = CachedAnswers(5, worker.answer)
        assert await kept.of("a") == "a 1"
        now = 4.9
        assert await kept.of("a") == "a 1"
        now = 5.0
        assert await kept.of("a") == "a 2"

    run(check())


def test_failure_is_told_and_not_kept():
    async def check():
        worker = Worker()
        worker.failure = ValueError("away")
        kept = CachedAnswers(60, worker.answer)
        with pytest.raises(ValueError, match="away"):
            await kept.of("a")
        worker.failure = None
        assert await kept.of("a") == "a 2"

    run(check())
