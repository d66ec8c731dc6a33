"""Train again when live coverage or skill has left its band, or returns have shifted, and no training has answered it.

Alarms are events (`drift-alarms`); each set of them asks for one training, whatever becomes of it, and a training that
is decided answers all that were raised before.
"""

import os
from datetime import timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import CronTriggerTimetable, dag, task

FORETICK = os.environ.get("FORETICK_COMMAND", "foretick")


@dag(
    schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC", run_immediately=timedelta()),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=20)},
    tags=["foretick"],
    doc_md=__doc__,
)
def retrain_on_drift() -> None:
    """Look at the alarms; where one waits for an answer, start `train_stock_model`."""

    @task.bash(execution_timeout=timedelta(minutes=5), skip_on_exit_code=99)
    def look() -> str:
        """Print the alarms that wait, the newest one's id last; without any, what follows is skipped."""
        return f"{FORETICK} drift --unanswered"

    retrain = TriggerDagRunOperator(
        task_id="retrain",
        trigger_dag_id="train_stock_model",
        trigger_run_id="drift__{{ ti.xcom_pull(task_ids='look') }}",
        skip_when_already_exists=True,
    )
    look() >> retrain


retrain_on_drift()
