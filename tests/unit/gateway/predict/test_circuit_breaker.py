"""The circuit breaker: open after failures in a row, tried by one, closed by an answer."""

import pytest
from fastapi.responses import JSONResponse

from gateway.predict.circuit_breaker import CLOSED, OPEN, TRYING, CircuitBreaker
from tests.support.event_streams import run
from tests.support.gateways import gateway, scoring

REQUEST = {"history": [{"ds": f"2012-01-0{day}", "y": 10.0 + day} for day in (3, 4)]}


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def opened(now: Now) -> CircuitBreaker:
    breaker = CircuitBreaker(3, 5.0, now)
    for _ in range(3):
        assert breaker.wait() == 0
        breaker.failed()
    return breaker


def test_breaker_with_an_answer_in_between_stays_closed() -> None:
    breaker = CircuitBreaker(3, 5.0)
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.state == CLOSED


def test_breaker_after_failures_in_a_row_refuses_then_lets_one_try() -> None:
    now = Now()
    breaker = opened(now)
    now.at = 2.5
    assert breaker.wait() == 3
    now.at = 5.0
    assert breaker.wait() == 0
    assert breaker.state == TRYING
    assert breaker.wait() == 1
    breaker.failed()
    assert breaker.wait() == 5
    now.at = 10.0
    assert breaker.wait() == 0
    breaker.succeeded()
    assert [breaker.wait(), breaker.wait()] == [0, 0]


def test_breaker_whose_trial_left_lets_the_next_one_try() -> None:
    now = Now()
    breaker = opened(now)
    now.at = 5.0
    breaker.wait()
    breaker.left()
    assert breaker.state == OPEN
    assert breaker.wait() == 0


def test_predict_while_models_keep_failing_is_refused_at_once_and_comes_back() -> None:
    async def check() -> None:
        async with (
            scoring() as (stand_in, url),
            gateway(forecasting=url, predict_failures=2, predict_pause_seconds=0.2) as found,
        ):
            stand_in.answer = lambda body: JSONResponse({"detail": "broken"}, 500)
            kinds = []
            for _ in range(4):
                answer = await found.http.post("/predict", json=REQUEST)
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) >= 1
                kinds.append(answer.json()["type"].rpartition(":")[2])
            assert kinds == ["forecasting-away", "forecasting-away", "models-away", "models-away"]
            assert len(stand_in.asked) == 2
            assert "foretick_gateway_breaker_open 1.0" in (await found.http.get("/metrics")).text
            stand_in.answer = stand_in.walk
            while (answer := await found.http.post("/predict", json=REQUEST)).status_code != 200:
                assert answer.json()["type"].endswith("models-away")
            assert found.parts.predictor.breaker.state == CLOSED

    run(check())


ALIVE = {
    "no model yet": (503, "no model is loaded yet: stock-forecaster has no version with an alias"),
    "a history that no model takes": (400, "lstm needs 64 bars, there are 2"),
    "a history at fault": (422, "y is 0"),
    "an unknown model": (404, "no model 'prophet' is at work"),
    "too large": (413, "the body is too large"),
    "too often": (429, "slower"),
}


@pytest.mark.parametrize("case", ALIVE)
def test_breaker_of_a_service_that_answers_stays_closed(case: str) -> None:
    status, detail = ALIVE[case]

    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url, predict_failures=2) as found:
            stand_in.answer = lambda body: JSONResponse({"detail": detail}, status)
            for _ in range(5):
                answer = await found.http.post("/predict", json=REQUEST | {"model": "prophet"})
                assert not answer.json()["type"].endswith("models-away")
            assert found.parts.predictor.breaker.state == CLOSED
            stand_in.answer = stand_in.walk
            assert (await found.http.post("/predict", json=REQUEST)).status_code == 200

    run(check())


def test_breaker_that_is_tried_while_no_model_is_loaded_closes() -> None:
    async def check() -> None:
        async with (
            scoring() as (stand_in, url),
            gateway(forecasting=url, predict_failures=1, predict_pause_seconds=0.05) as found,
        ):
            stand_in.answer = lambda body: JSONResponse({"detail": "broken"}, 500)
            await found.http.post("/predict", json=REQUEST)
            assert found.parts.predictor.breaker.state == OPEN
            stand_in.answer = lambda body: JSONResponse({"detail": ALIVE["no model yet"][1]}, 503)
            while (answer := await found.http.post("/predict", json=REQUEST)).json()["type"].endswith("models-away"):
                pass
            assert answer.json()["type"].endswith("no-model")
            assert found.parts.predictor.breaker.state == CLOSED

    run(check())


@pytest.mark.parametrize(("status", "detail"), [(502, "bad gateway"), (503, "upstream is away"), (504, "late")])
def test_breaker_of_a_proxy_that_reaches_nobody_opens(status: int, detail: str) -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url, predict_failures=2) as found:
            stand_in.answer = lambda body: JSONResponse({"detail": detail}, status)
            for _ in range(2):
                answer = await found.http.post("/predict", json=REQUEST)
                assert answer.json()["type"].endswith("forecasting-away")
            assert found.parts.predictor.breaker.state == OPEN

    run(check())


def test_breaker_of_a_named_model_that_fails_leaves_the_champion_alone() -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url, predict_failures=2) as found:
            stand_in.answer = lambda body: JSONResponse({"detail": "broken"}, 500)
            for _ in range(3):
                assert (await found.http.post("/predict", json=REQUEST | {"model": "lstm"})).status_code == 503
            stand_in.answer = stand_in.walk
            assert (await found.http.post("/predict", json=REQUEST)).status_code == 200

    run(check())
