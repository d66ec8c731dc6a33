"""Blocking calls in threads that never keep the process from ending, however long a server lets them wait."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

ResultType = TypeVar("ResultType")


async def in_thread(work: Callable[[], ResultType], name: str = "blocking") -> ResultType:
    """Run a blocking call and wait for it; whoever is cancelled leaves it to itself.

    `asyncio.to_thread` is no choice here: its threads are waited for at the end of the process.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[ResultType] = loop.create_future()

    def settle(outcome: Callable[[], None]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(lambda: None if result.done() else outcome())

    def run() -> None:
        try:
            value = work()
        except Exception as error:  # it is the waiting coroutine's
            failure = error
            settle(lambda: result.set_exception(failure))
        else:
            settle(lambda: result.set_result(value))

    threading.Thread(target=run, name=name, daemon=True).start()
    return await result
