"""Run the projections with a fault prepared: `python -m tests.faults.launch FAULT ARGUMENT`.

sleep METHOD    stops itself (SIGSTOP) before the first call of the store's METHOD that concerns bars
clock SECONDS   this process's clock is so many seconds ahead
"""

import os
import signal
import sys
from datetime import timedelta
from typing import Any

from projections import main, mongo
from projections.mongo import Store


def sleep(method: str) -> None:
    """Fall asleep in the middle of the first batch of `stock_data`."""
    real = getattr(Store, method)
    slept: list[bool] = []

    def asleep_before(store: Store, *arguments: Any) -> Any:
        if not slept and _of_bars(method, arguments):
            slept.append(True)
            print("asleep", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
        return real(store, *arguments)

    setattr(Store, method, asleep_before)


def clock(seconds: str) -> None:
    """Set the clock that the projections read wrong."""
    ahead = timedelta(seconds=float(seconds))

    class Wrong(mongo.datetime):  # type: ignore[name-defined,misc]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return super().now(tz) + ahead

    mongo.datetime = Wrong  # type: ignore[attr-defined]


def _of_bars(method: str, arguments: tuple[Any, ...]) -> bool:
    if method == "advance":
        return any(row["read_model"] == "stock_data" for _, row in arguments[0])
    return arguments[0] == "stock_data" and bool(arguments[1])


if __name__ == "__main__":
    {"sleep": sleep, "clock": clock}[sys.argv[1]](sys.argv[2])
    code = main.main()
    sys.stderr.flush()
    os._exit(code)
