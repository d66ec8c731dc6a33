"""`/predict` over the whole way: projected bars, the real forecasting service, a model out of MLflow."""

import asyncio
import signal

import httpx
import pytest

from gateway.schemas.responses import Prediction
from projections.settings import ProjectionSettings
from tests.integration.gatewaying import GatewayProcess, run
from tests.integration.projecting import Running
from tests.integration.serving import SERVING, SYMBOLS
from tests.support.waiting import until

pytestmark = pytest.mark.mlflow

SESSIONS = 70


@pytest.fixture
def serving(desk):
    process = desk.process(SERVING)
    process.start()
    yield process
    process.end(signal.SIGKILL)


@pytest.fixture
def gateway(isolated, serving, tmp_path):
    gateway = GatewayProcess(tmp_path, isolated.environment | {"FORETICK_FORECASTING": serving.url})
    gateway.start()
    gateway.live()
    yield gateway
    gateway.end(signal.SIGKILL)


def test_predictions_are_refused_until_a_model_serves_and_then_made_from_what_serving_reads(desk, serving, gateway):
    desk.close_sessions(range(SESSIONS))

    def predict(**body):
        return httpx.post(gateway.url + "/predict", json=body, timeout=20)

    async def check():
        with Running(ProjectionSettings(snapshot_seconds=0)) as projections:
            await asyncio.to_thread(projections.catch_up)
        waiting = await asyncio.to_thread(predict, symbol="IBM")
        assert waiting.status_code == 503
        assert int(waiting.headers["Retry-After"]) > 0
        assert "no model is loaded yet" in waiting.json()["detail"]
        assert (await asyncio.to_thread(httpx.get, gateway.url + "/health/ready", timeout=20)).status_code == 503
        async with gateway.socket("/forecast?symbols=IBM") as ear:
            await ear.say(type="resume", positions={})
            naive = await asyncio.to_thread(desk.register, "naive")
            desk.promote("naive", naive, "naive")
            desk.promote("champion", naive, "naive")
            await asyncio.to_thread(until, lambda: predict(symbol="IBM").is_success, "a model served", 60)
            issued = (await ear.hear(1, "forecast", seconds=60))[0]["data"]
            answer = (await asyncio.to_thread(predict, symbol="IBM", horizon=len(issued["steps"]))).json()
            Prediction.model_validate(answer)
            assert answer["model"] == {"name": desk.settings.model_name, "version": naive, "family": "naive"}
            # The same bars under the same model: the same input, and the same forecast, as the event's.
            assert answer["origin"] == issued["origin"]
            assert answer["input_sha256"] == issued["lineage"]["input_sha256"]
            for asked, step in zip(answer["steps"], issued["steps"], strict=True):
                assert asked["target_at"] == step["target_at"]
                assert asked["mean"] == pytest.approx(step["mean"], abs=1e-4)
                for quantile in step["quantiles"]:
                    assert asked["quantiles"][f"{quantile['level']:g}"] == pytest.approx(quantile["value"], abs=1e-4)
            await ear.say(id="mine", symbol="IBM", horizon=3)
            (prediction,) = await ear.hear(1, "prediction")
            assert prediction["id"] == "mine"
            assert prediction["data"]["steps"] == answer["steps"][:3]
        history = [{"ds": f"2012-01-{day:02}", "y": 10.0 + day} for day in (3, 4, 5, 6, 9)]  # days, not closes
        own = (await asyncio.to_thread(predict, history=history, horizon=1)).json()
        assert own["steps"][0]["target_at"] == "2012-01-10T21:00:00Z"
        for model in ("champion", "naive", naive):
            named = (await asyncio.to_thread(predict, history=history, horizon=1, model=model)).json()
            assert named["steps"] == own["steps"]
        other = await asyncio.to_thread(predict, history=history, model="arima")
        assert other.status_code == 422
        assert other.json()["type"].endswith("unknown-model")
        assert "there are champion, naive" in other.json()["detail"]
        ancient = [{"ds": f"1962-01-{day:02}", "y": 10.0 + day} for day in (3, 4, 5)]
        before = await asyncio.to_thread(predict, history=ancient)
        assert before.status_code == 422
        assert "knows sessions from 1970-01-02" in before.json()["detail"]
        unknown = await asyncio.to_thread(predict, symbol="NONE")
        assert unknown.status_code == 422
        ready = await asyncio.to_thread(httpx.get, gateway.url + "/health/ready", timeout=20)
        assert ready.status_code == 200, ready.text

    assert "IBM" in SYMBOLS
    run(check())
