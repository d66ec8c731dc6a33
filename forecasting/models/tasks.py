"""Work in parts that stand alone: done here, by joblib's workers, or beforehand by whoever took a share of it.

A task is named by all that its result depends on, and its result is bytes: where it was done leaves no trace in them.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from joblib import Parallel, delayed

from forecasting.data.code_version import code_version

_kept: ContextVar[dict[str, bytes] | None] = ContextVar("results", default=None)


@dataclass(frozen=True, slots=True)
class Task:
    """A part of some work.

    Attributes:
        key: of the result, by `task_key`.
        function: makes it, in any process.
        arguments: gives what `function` is called with, when the task's turn comes: they are large.
    """

    key: str
    function: Callable[..., bytes]
    arguments: Callable[[], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Share:
    """One of several shares of some work: every so manieth of its tasks."""

    number: int  # from 1
    of: int

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read `3/20`.

        Raises:
            ValueError: the text names no share.
        """
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise ValueError(f"a share is a number and of how many there are, such as 3/20, not {text[:80]!r}")
        return cls(int(number), int(of))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def taken_from(self, tasks: Sequence[Task]) -> list[Task]:
        """Return the tasks of this share; those that are the same are done once."""
        return list({task.key: task for task in tasks}.values())[self.number - 1 :: self.of]


def task_key(what: str, *content: object) -> str:
    """Name a result by the code, by what is computed, and by what of: arrays as bytes, all else as JSON."""
    digest = sha256(json.dumps([code_version(), what]).encode())
    for part in content:
        data = part if isinstance(part, bytes) else json.dumps(part).encode()
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()


@contextmanager
def results_kept(in_: dict[str, bytes]) -> Iterator[None]:
    """Inside, take results that are there already, and keep those that are made."""
    before = _kept.set(in_)
    try:
        yield
    finally:
        _kept.reset(before)


def results_of(tasks: Sequence[Task], *, few: int = 1) -> Iterator[bytes]:
    """Give the result of each task in their order, made by joblib's workers where nobody has made it yet.

    Args:
        few: tasks that are quicker done here than another process starts.
    """
    kept = _kept.get()
    known = {} if kept is None else kept
    missing = [task for task in tasks if task.key not in known]
    made: Iterator[bytes]
    if len(missing) <= few:
        made = (task.function(*task.arguments()) for task in missing)
    else:
        calls = (delayed(task.function)(*task.arguments()) for task in missing)
        made = Parallel(return_as="generator")(calls)
    waiting = {task.key for task in missing}
    for task in tasks:
        if task.key in waiting:
            result = next(made)
            if kept is not None:
                kept[task.key] = result
            yield result
        else:
            yield known[task.key]
