"""Build every read model again from the log each night and compare its hash with the live one's; change nothing.

A difference fails the run, and the task's log names the documents.  It is not retried: the log and the read model are
as they are.
"""

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

FORETICK = os.environ.get("FORETICK_COMMAND", "foretick")


@dag(
    schedule=CronTriggerTimetable("0 2 * * *", timezone="UTC", run_immediately=timedelta()),
    catchup=False,
    max_active_runs=1,
    tags=["foretick"],
    doc_md=__doc__,
)
def verify_read_models() -> None:
    """Rebuild beside the live read models."""

    @task.bash(execution_timeout=timedelta(hours=6))
    def verify() -> str:
        """Compare each read model with what the log says."""
        return f"{FORETICK} rebuild --verify-only"

    verify()


verify_read_models()
