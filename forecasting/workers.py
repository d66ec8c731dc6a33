"""Where a training does what can be done side by side: on all cores of this machine, or on a Dask cluster.

Models only say what may be split (`joblib.Parallel`); here is said who does it.  Where it is done changes no number.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from joblib import parallel_config

from forecasting.settings import ForecastingSettings

log = structlog.get_logger()

_CONNECT_SECONDS = 10.0


class WorkersAway(Exception):
    """The Dask cluster that the settings name does not answer, or has no workers."""


@contextmanager
def workers(settings: ForecastingSettings) -> Iterator[None]:
    """Let whatever is fitted inside use the workers that the settings name.

    Raises:
        WorkersAway: a Dask scheduler is named, and there is none, or nobody works for it.
    """
    address = settings.dask_scheduler
    if not address:
        with parallel_config("loky", n_jobs=settings.training_workers):
            yield
        return
    from distributed import Client  # half a second to import, and only who has a cluster needs it

    try:
        client: Any = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:  # a time-out is an OSError; an address that is none a ValueError
        raise WorkersAway(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        if not client.ncores():
            raise WorkersAway(f"the Dask scheduler at {address} has no workers: start one with `dask worker {address}`")
        log.info("training on a Dask cluster", scheduler=address, workers=len(client.ncores()))
        with parallel_config("dask", client=client):
            yield
