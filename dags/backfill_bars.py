"""Fetch every symbol's whole history weekly and publish what the log does not hold: late corrections of any age.

The log is the ledger: running it twice, or beside the running producers, publishes nothing twice.
"""

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

FORETICK = os.environ.get("FORETICK_COMMAND", "foretick")


@dag(
    schedule=CronTriggerTimetable("0 3 * * 6", timezone="UTC", run_immediately=timedelta()),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["foretick"],
    doc_md=__doc__,
)
def backfill_bars() -> None:
    """Ask the vendor for all there is."""

    @task.bash(execution_timeout=timedelta(hours=6))
    def ingest() -> str:
        """Fetch and publish once."""
        return f"{FORETICK} ingest"

    ingest()


backfill_bars()
