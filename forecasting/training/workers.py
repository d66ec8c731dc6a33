"""Where a training does what can be done side by side: on all cores of this machine, or on a Dask cluster.

Models only say what may be split (`joblib.Parallel`); here is said who does it.  Where it is done changes no number.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from joblib import parallel_config

from forecasting.settings import ForecastingSettings
from streaming.errors import ServerAway

log = structlog.get_logger()

_CONNECT_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_INSTALL = "install requirements/dask.txt (`.venv/bin/uv pip install -r requirements/dask.txt`)"


class WorkersAway(ServerAway):
    """The Dask cluster that the settings name does not answer, or has no workers."""


@contextmanager
def workers(settings: ForecastingSettings) -> Iterator[None]:
    """Let whatever is fitted inside use the workers that the settings name.

    Raises:
        WorkersAway: the Dask scheduler that is named does not answer, or nobody works for it.
    """
    address = settings.dask_scheduler
    if not address:
        with parallel_config("loky", n_jobs=settings.training_workers, initializer=_end_with, initargs=(os.getpid(),)):
            yield
        return
    try:
        from distributed import Client  # half a second to import, and only who has a cluster needs it
    except ImportError as error:
        raise WorkersAway(f"FORETICK_DASK_SCHEDULER wants Dask, which is not installed: {_INSTALL}") from error
    try:
        client: Any = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:  # a time-out is an OSError; a wrong address is a ValueError
        raise WorkersAway(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        if not client.ncores():
            raise WorkersAway(f"the Dask scheduler at {address} has no workers: start one with `dask worker {address}`")
        log.info("training on a Dask cluster", scheduler=address, workers=len(client.ncores()))
        with parallel_config("dask", client=client):
            yield


def _end_with(training: int) -> None:
    """Let a worker process end with its training's: a training that is killed outright tells nobody."""

    def watch() -> None:
        while os.getppid() == training:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
