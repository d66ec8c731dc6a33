"""The whole of Foretick, as `make run` starts it: every promise of the first page of the README."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from mlflow import MlflowClient
from pymongo import MongoClient

from contracts.topics import DRIFT_ALARMS, STOCK_DATA, TOPICS
from forecasting.models.families import FAMILIES
from stack.layout import Layout
from stack.run.airflow_api import Airflow
from stack.run.training_log import airflow_lines
from stack.services.airflow import AIRFLOW_NAMES as AIRFLOW
from stack.services.supervisor import Supervisor
from stack.services.table import SERVERS, SERVICES, services
from streaming.reader import read_all
from streaming.settings import StreamSettings
from tests.e2e.conftest import set_clock
from tests.support import waiting
from tests.support.supervised import kill, running

SYMBOLS = {"AAPL", "GOOG", "IBM", "MSFT"}  # FB lists in the middle of the replay
pytestmark = pytest.mark.usefixtures("market")


def until(condition, what: str, seconds: float = 90.0):
    """Return the first true answer of `condition`; errors of the network count as not yet."""

    def answer():
        try:
            return condition()
        except httpx.HTTPError:
            return None

    return waiting.until(answer, what, seconds, period=0.25)


@pytest.fixture
def api(system: Layout):
    with httpx.Client(base_url=system.url("gateway"), timeout=10) as client:
        yield client


@pytest.fixture
def stock_data(system: Layout):
    with MongoClient(system.environment()["FORETICK_MONGODB"]) as client:
        yield client["stock_db"]["stock_data"]


def newest_bar(api: httpx.Client) -> dict[str, Any]:
    """Return IBM's newest bar as the gateway tells it; HTTPError while it cannot."""
    found: dict[str, Any] = api.get("/api/bars/IBM?limit=1").raise_for_status().json()["items"][0]
    return found


def distinct_bars(stream: StreamSettings) -> set[str]:
    return {record.event.bar_id for record in read_all(stream, STOCK_DATA)}


def test_registry_holds_a_version_of_each_family_and_a_champion(system):
    client = MlflowClient(system.url("mlflow"), system.url("mlflow"))
    aliases = client.get_registered_model("stock-forecaster").aliases
    assert set(aliases) == {*FAMILIES, "champion"}
    assert len({aliases[family] for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        version = client.get_model_version_by_alias("stock-forecaster", family)
        run = client.get_run(version.run_id)
        assert run.data.params, family
        assert run.data.metrics, family


def test_airflow_trained_backtested_and_decided_and_runs_every_other_workflow_to_its_end(system):
    airflow = Airflow(system)
    assert "success" in airflow.runs("train_stock_model").values()
    runs = {name: airflow.trigger(name) for name in airflow.workflows() if name != "train_stock_model"}
    assert set(runs) == {"backfill_bars", "verify_read_models", "retrain_on_drift"}
    for name, run in runs.items():
        until(lambda name=name, run=run: airflow.progress(name, run).finished, f"{name} is done", 240)
        progress = airflow.progress(name, run)
        said = "\n".join(airflow_lines(Path(airflow.log_folder(name, run)))[-60:])
        assert progress.state == "success", f"{name}: {progress.describe()}\n{said}"
    mlflow = MlflowClient(system.url("mlflow"), system.url("mlflow"))
    experiments = [each.experiment_id for each in mlflow.search_experiments()]
    backtest = mlflow.search_runs(experiments, "tags.kind = 'backtest'")[0]
    assert {f"{family}.skill" for family in FAMILIES} <= set(backtest.data.metrics)


def test_bars_in_mongodb_are_the_bars_of_the_topic(system, stream, stock_data):
    set_clock(system, running=False)
    expected = until(
        lambda: (found := distinct_bars(stream)) and len(found) == stock_data.count_documents({}) and found,
        "MongoDB has every bar of the topic",
    )
    assert {document["_id"] for document in stock_data.find({}, {"_id": 1})} == expected


def test_every_family_forecasts_every_symbol(api):
    for symbol in SYMBOLS:
        until(
            lambda symbol=symbol: (
                {item["model"]["family"] for item in api.get(f"/api/forecasts/{symbol}?limit=50").json()["items"]}
                >= set(FAMILIES)
            ),
            f"forecasts of all families for {symbol}",
        )


def test_forecast_names_what_it_was_made_from(api):
    forecast = until(lambda: api.get("/api/forecasts/AAPL?limit=1").json()["items"], "a forecast")[0]
    assert forecast["lineage"]["inputs"]
    assert forecast["lineage"]["input_bars"] >= 2
    assert len(forecast["lineage"]["input_sha256"]) == 64
    assert api.get(f"/api/lineage/{forecast['forecast_id']}").status_code == 200


def test_every_topic_carries_avro_events_with_schema_ids(stream):
    for topic in set(TOPICS) - {DRIFT_ALARMS}:  # a market without drift raises no alarm
        record = until(lambda topic=topic: next(iter(read_all(stream, topic)), None), f"an event in {topic.name}")
        assert isinstance(record.event, topic.event)
        assert record.schema_id > 0


def test_predict_answers_for_a_symbol_and_for_a_history_of_the_callers(api):
    answer = api.post("/predict", json={"symbol": "IBM", "horizon": 3}).raise_for_status().json()
    assert [step["step"] for step in answer["steps"]] == [1, 2, 3]
    assert answer["model"]["version"]
    history = [{"ds": f"2012-01-{day:02}T21:00:00Z", "y": 100 + day % 3} for day in (3, 4, 5, 6, 9, 10, 11, 12, 13)]
    refused = api.post("/predict", json={"symbol": "NOPE"})
    assert refused.status_code == 422
    assert "NOPE" in json.dumps(refused.json())
    assert api.post("/predict", json={"history": history[::-1], "horizon": 1}).status_code == 422


def test_snapshots_are_written_with_a_manifest(system):
    folder = system.home / "snapshots"
    until(lambda: list(folder.rglob("manifest.json")) or None, "a snapshot", 120)
    assert list(folder.rglob("*AAPL*.csv"))


@pytest.mark.parametrize("service", [*reversed(SERVICES), *reversed(SERVERS), *AIRFLOW])
def test_killed_process_comes_back_and_bars_flow_again(system, api, stream, service):
    supervisor = Supervisor(system)
    set_clock(system, seconds_per_session=2.0)
    killed = kill(supervisor, service)
    until(lambda: running(supervisor, service) != killed, f"{service} is back")
    (back,) = (each for each in services(system) if each.name == service)
    until(back.answers, f"{service} answers", 120)
    before = until(lambda: newest_bar(api), "the gateway answers", 120)["closed_at"]
    until(
        lambda: newest_bar(api)["closed_at"] > before,
        f"bars flow again after {service} was killed",
        150,
    )


def test_after_all_kills_everything_runs_and_no_bar_is_missing_or_double(system, stream, stock_data):
    states = Supervisor(system).states
    until(lambda: {state.state for state in states().values()} == {"RUNNING"}, "what was started again stays")
    test_bars_in_mongodb_are_the_bars_of_the_topic(system, stream, stock_data)
    written = Counter((record.event.bar_id, record.event.revision) for record in read_all(stream, STOCK_DATA))
    assert {bar: times for bar, times in written.items() if times > 1} == {}
