"""End MLflow runs as killed: one's own when told to end, and those that a process left open that is gone."""

from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
import structlog
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from forecasting.modelstore.process_identity import ProcessIdentity, started_at, this_process
from forecasting.modelstore.signals import is_terminating

log = structlog.get_logger()

KILLED = "KILLED"


@contextmanager
def killed_if_terminated(run_id: str) -> Iterator[None]:
    """End the open run as killed where a signal ends the process within; MLflow itself would leave it running."""
    try:
        yield
    except BaseException as error:
        if is_terminating() or isinstance(error, KeyboardInterrupt):
            try:
                mlflow.end_run(KILLED)
            except MlflowException as away:  # nothing can wait for a server now
                log.warning("a run stays open until the next training", run=run_id, reason=away.message)
        raise


def close_abandoned(client: MlflowClient, experiment_id: str) -> list[str]:
    """End the runs of an experiment whose process is certainly gone; return their ids.

    Those of live processes, of other machines, and those that name no process are left alone.
    """
    here, closed = this_process(), []
    for run in client.search_runs([experiment_id], "attributes.status = 'RUNNING'", max_results=1000):
        owner = ProcessIdentity.of(run.data.tags)
        if owner is not None and owner.gone(here, started_at):
            client.set_terminated(run.info.run_id, KILLED)
            closed.append(str(run.info.run_id))
            log.warning("closed a run whose process is gone", run=run.info.run_id, name=run.info.run_name)
    return closed
