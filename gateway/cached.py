"""Answers that many pages ask for again and again, and that may be a moment old."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

QuestionType = TypeVar("QuestionType", bound=Hashable)
AnswerType = TypeVar("AnswerType")


class CachedAnswers(Generic[QuestionType, AnswerType]):
    """Keeps the answer to each question for some seconds; of those that ask at the same time one works it out.

    What `answer` raises goes to who asked, and is not kept.
    """

    def __init__(self, seconds: float, answer: Callable[[QuestionType], Awaitable[AnswerType]]) -> None:
        self._seconds = seconds
        self._answer = answer
        self._known: dict[QuestionType, tuple[float, AnswerType]] = {}
        self._lock = asyncio.Lock()

    async def of(self, question: QuestionType) -> AnswerType:
        """Return the answer to a question."""
        async with self._lock:
            now = time.monotonic()
            self._known = {each: found for each, found in self._known.items() if now - found[0] < self._seconds}
            if question not in self._known:
                self._known[question] = now, await self._answer(question)
            return self._known[question][1]
