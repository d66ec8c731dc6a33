"""MLflow's scoring protocol over the models at work."""

import json
from dataclasses import replace
from importlib.metadata import version as installed

import pytest
from fastapi.testclient import TestClient

from forecasting.models.naive import Naive
from forecasting.modelstore.registry import LoadedModel
from forecasting.serving.app import create_serving_app
from forecasting.serving.loaded_models import LoadedModels
from tests.support.markets import market

NOTHING = "no model is loaded yet: stock-forecaster has no version with an alias"


@pytest.fixture(scope="module")
def model():
    return LoadedModel("stock-forecaster", "7", "naive", "r7", Naive().fit(market(symbols=2, bars=200)))


@pytest.fixture
def client(model):
    shadow = replace(model, version="8", family="arima")
    loaded = LoadedModels({"champion": model, "naive": model, "arima": shadow})
    return TestClient(create_serving_app(lambda: loaded, lambda: {"owed": 0}, lambda: []))


def body(bars=30, **params):
    frame = market(symbols=1, bars=bars)
    return {
        "dataframe_split": json.loads(frame.to_json(orient="split", date_format="iso", index=False)),
        "params": params,
    }


def test_invocations_answers_the_champions_long_frame_and_names_the_model(client):
    answer = client.post("/invocations", json=body(horizon=3, levels=[0.1, 0.5, 0.9]))
    assert answer.status_code == 200
    rows = answer.json()["predictions"]
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert set(rows[0]) == {"unique_id", "ds", "step", "mean", "q0.1", "q0.5", "q0.9"}
    assert rows[0]["q0.1"] < rows[0]["mean"] < rows[0]["q0.9"]
    assert {
        name: answer.headers[f"x-foretick-{name}"] for name in ("model-name", "model-version", "model-family", "run-id")
    } == {
        "model-name": "stock-forecaster",
        "model-version": "7",
        "model-family": "naive",
        "run-id": "r7",
    }


def test_invocations_of_an_alias_asks_that_model(client):
    answer = client.post("/invocations?alias=arima", json=body())
    assert answer.headers["x-foretick-model-version"] == "8"
    assert len(answer.json()["predictions"]) == 5


def test_invocations_of_a_version_or_a_family_asks_that_model(model, client):
    assert client.post("/invocations?alias=8", json=body()).headers["x-foretick-model-version"] == "8"
    alone = TestClient(create_serving_app(lambda: LoadedModels({"champion": model}), dict, list))
    assert alone.post("/invocations?alias=naive", json=body()).headers["x-foretick-model-version"] == "7"


@pytest.mark.parametrize("name", ["prophet", "9", "ARIMA", ""])
def test_invocations_of_an_unknown_model_answers_404_with_those_there_are(client, name):
    answer = client.post(f"/invocations?alias={name}", json=body())
    assert answer.status_code == 404
    said = answer.json()["detail"]
    assert f"no model '{name}' is at work" in said
    assert "champion, naive, arima, or by version 7, 8" in said
    assert "loaded once an alias points at it" in said


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (body(bars=1), "naive needs 2 bars, there are 1"),
        (body(horizon=99), "horizon must be between 1 and"),
        ({"params": {}}, "exactly one of the input fields"),
        ({"dataframe_records": [{"unique_id": "A", "y": 1.0}]}, "ds"),
    ],
)
def test_invocations_of_a_bad_request_answers_400_with_what_is_wrong(client, sent, said):
    answer = client.post("/invocations", json=sent)
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert "Traceback" not in answer.text


def test_invocations_of_no_json_answers_400(client):
    answer = client.post("/invocations", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_invocations_of_a_model_with_a_bug_answers_500_without_its_trace(model, monkeypatch):
    monkeypatch.setattr(type(model.estimator), "predict", lambda *_: 1 / 0)
    client = TestClient(create_serving_app(lambda: LoadedModels({"champion": model}), dict, list))
    answer = client.post("/invocations", json=body())
    assert answer.status_code == 500
    assert "Traceback" not in answer.text


def test_invocations_while_no_model_is_loaded_answers_503_and_when_to_come_back():
    client = TestClient(create_serving_app(LoadedModels, dict, lambda: [NOTHING]))
    for answer in (client.post("/invocations", json=body()), client.get("/ping")):
        assert answer.status_code == 503
        assert answer.json()["detail"] == NOTHING
        assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/health/ready").json() == {"status": "waiting", "reasons": [NOTHING]}
    assert client.get("/health/live").status_code == 200


def test_operations_of_a_service_at_work_answer(client):
    assert client.get("/ping").status_code == 200
    assert client.get("/version").text == installed("mlflow")
    assert client.get("/status").json() == {"owed": 0}
    assert "foretick_predict_seconds" in client.get("/metrics").text
    items = {item["alias"]: (item["version"], item["role"]) for item in client.get("/models").json()["items"]}
    assert items == {"champion": ("7", "CHAMPION"), "naive": ("7", "CHAMPION"), "arima": ("8", "SHADOW")}


def test_page_that_loads_scripts_from_elsewhere_is_not_there(client):
    assert [client.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]
