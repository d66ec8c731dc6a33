"""Train every family daily, backtest it beside the random walk, promote what passes the gate.

The work is done by the `foretick` command in the services' own environment; this file only orders it.  Families train
side by side and only register their versions; no alias moves before all are there, so a failed task leaves nothing
half promoted, and a day run twice changes nothing.
"""

import json
import os
from datetime import timedelta

from airflow.sdk import Asset, AssetAlias, CronTriggerTimetable, dag, task

FORETICK = os.environ.get("FORETICK_COMMAND", "foretick")
MODEL = os.environ.get("FORETICK_MODEL_NAME", "stock-forecaster")
# A process for each but the random walk and ARIMA, which need seconds and no TensorFlow.
TOGETHER = ["naive,arima", "lstm", "transformer", "ensemble"]


@dag(
    # The first run is asked for by the stack: without this, un-pausing would start another one for last midnight.
    schedule=CronTriggerTimetable("@daily", timezone="UTC", run_immediately=timedelta()),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=20)},
    tags=["foretick"],
    doc_md=__doc__,
)
def train_stock_model() -> None:
    """Freeze the training data by offsets, train on exactly that, then decide."""

    @task.bash
    def freeze() -> str:
        """Print the offset vector that names the training set; the last line becomes the result."""
        return f"{FORETICK} train --freeze"

    @task.bash(output_processor=json.loads)
    def shares(offsets: str) -> str:
        """Print the shares that the work on them is worth parting into: none for a market of some hundred symbols."""
        return f"{FORETICK} train --shares --as-of '{offsets}'"

    @task.bash(execution_timeout=timedelta(hours=2), map_index_template="{{ task.op_kwargs['share'] }}")
    def estimate(share: str, offsets: str) -> str:
        """Do a share of what is estimated symbol by symbol; the trainings take the results up."""
        return f"{FORETICK} train --share {share} --as-of '{offsets}'"

    @task.bash(
        execution_timeout=timedelta(hours=2),
        map_index_template="{{ task.op_kwargs['families'] }}",
        trigger_rule="none_failed",
    )
    def train(families: str, offsets: str) -> str:
        """Train some families on those offsets and register their versions."""
        return f"{FORETICK} train --if-needed --register-only --families {families} --as-of '{offsets}'"

    @task.bash(execution_timeout=timedelta(hours=1), map_index_template="{{ task.op_kwargs['share'] }}")
    def judge(share: str, offsets: str) -> str:
        """Ask those versions about a share of the symbols; the backtest takes the results up."""
        return f"{FORETICK} backtest --registered --share {share} --as-of '{offsets}'"

    @task.bash(execution_timeout=timedelta(hours=1), trigger_rule="none_failed")
    def backtest(offsets: str) -> str:
        """Ask those versions at the sessions since, calibrated as they would be live; the report goes to MLflow."""
        return f"{FORETICK} backtest --if-needed --registered --as-of '{offsets}'"

    @task.bash(execution_timeout=timedelta(hours=1))
    def decide(offsets: str) -> str:
        """Let all versions of those offsets through the gate, move aliases, say so in the log."""
        return f"{FORETICK} train --if-needed --as-of '{offsets}'"

    @task(outlets=[AssetAlias("registered-versions")])
    def announce(registered: list[str], *, outlet_events: dict) -> None:
        """Tell of each registered version as an asset of its own."""
        for line in registered:
            for family, version in json.loads(line).items():
                told = {"family": family, "version": version}
                asset = Asset(f"foretick://models/{MODEL}/{version}")
                outlet_events[AssetAlias("registered-versions")].add(asset, extra=told)

    offsets = freeze()
    worth = shares(offsets)
    estimated = estimate.partial(offsets=offsets).expand(share=worth)
    registered = train.partial(offsets=offsets).expand(families=TOGETHER)
    judged = judge.partial(offsets=offsets).expand(share=worth)
    estimated >> registered >> judged >> backtest(offsets) >> decide(offsets) >> announce(registered)


train_stock_model()
