"""`POST /predict`: what is taken, what is refused and how, and what happens while no model answers."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.responses import JSONResponse
from starlette.responses import Response

from contracts.actions import Split
from gateway.predict.history import input_sha256
from gateway.problems import away
from gateway.schemas.responses import Prediction
from tests.support.event_streams import run
from tests.support.gateways import gateway, scoring

FIRST = datetime(2012, 1, 3, 21, tzinfo=UTC)


def history(*values: Any) -> list[dict[str, Any]]:
    return [{"ds": (FIRST + timedelta(days=at)).isoformat(), "y": value} for at, value in enumerate(values)]


def bar(close: float, days: int, symbol: str = "AAPL") -> dict[str, Any]:
    at = FIRST + timedelta(days=days)
    prices = {"open": close, "high": close + 2, "low": close - 2, "close": close}
    return {"symbol": symbol, "interval": "P1D", "closed_at": at, "volume": 10.0, **prices}


def test_predict_of_a_history_answers_with_model_steps_and_hash() -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url) as running:
            request = {"history": history(10.0, 11.0, 12.5), "horizon": 3}
            answer = await running.http.post("/predict", json=request)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            Prediction.model_validate(body)
            assert body["model"] == {"name": "stock-forecaster", "version": "7", "family": "naive"}
            assert body["origin"] == "2012-01-05T21:00:00Z"
            assert [step["step"] for step in body["steps"]] == [1, 2, 3]
            assert len(body["warnings"]) == 1
            assert body["steps"][0]["target_at"] == "2012-01-04T21:00:00Z"
            assert list(body["steps"][0]["quantiles"]) == ["0.025", "0.1", "0.25", "0.5", "0.75", "0.9", "0.975"]
            (asked,) = stand_in.asked
            assert asked["params"]["horizon"] == 3
            assert asked["dataframe_split"]["columns"] == ["unique_id", "ds", "y"]
            assert asked["dataframe_split"]["data"][-1] == ["history", "2012-01-05T21:00:00", 12.5]
            assert body["input_sha256"] == input_sha256(asked["dataframe_split"])

    run(check())


def test_predict_of_a_symbol_sends_its_bars_in_the_newest_bars_share_terms() -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url, predict_bars=64) as running:
            running.queries.rows = [bar(400.0, 0), bar(410.0, 1), bar(200.0, 2), bar(1.0, 0, "IBM")]
            announced = (Split(date(2012, 1, 5), 2.0), Split(date(2013, 1, 1), 7.0))  # the later one is not yet
            running.queries.split = announced
            answer = await running.http.post("/predict", json={"symbol": "AAPL"})
            assert answer.status_code == 200, answer.text
            assert answer.json()["symbol"] == "AAPL"
            assert len(answer.json()["steps"]) == 5
            frame = stand_in.asked[0]["dataframe_split"]
            assert frame["columns"] == ["unique_id", "ds", "y", "high", "low"]
            assert frame["data"] == [
                ["AAPL", "2012-01-03T21:00:00", 200.0, 201.0, 199.0],
                ["AAPL", "2012-01-04T21:00:00", 205.0, 206.0, 204.0],
                ["AAPL", "2012-01-05T21:00:00", 200.0, 202.0, 198.0],
            ]

    run(check())


def test_predict_hashes_its_input_as_the_forecasting_service_does() -> None:
    frames = pytest.importorskip("forecasting.data.frames")
    pandas = pytest.importorskip("pandas")
    ours = {
        "columns": ["unique_id", "ds", "y", "high", "low"],
        "data": [
            ["AAPL", "2012-01-03T21:00:00", 411.23, 412.5, 409.0],
            ["AAPL", "2012-01-04T21:00:00", 413.44, 1 / 3, 1e22],
        ],
    }
    theirs = pandas.DataFrame(ours["data"], columns=ours["columns"])
    theirs["ds"] = pandas.to_datetime(theirs["ds"])
    assert input_sha256(ours) == frames.frame_sha256(theirs)


REFUSED: dict[str, tuple[Any, str, str]] = {
    "nothing asked": ({}, "body", "either"),
    "both asked": ({"symbol": "AAPL", "history": history(1, 2)}, "body", "either"),
    "unknown symbol": ({"symbol": "NONE"}, "symbol", "unknown"),
    "interval of no model": ({"symbol": "IBM", "interval": "PT1H"}, "body.interval", "only daily sessions (P1D)"),
    "history of no model": ({"history": history(1.0, 2.0), "interval": "PT1H"}, "body.interval", "only daily"),
    "weeks": ({"history": history(1.0, 2.0), "interval": "P1W"}, "body.interval", "only daily"),
    "symbol with one bar": ({"symbol": "IBM"}, "symbol", "too few"),
    "bad interval": ({"symbol": "IBM", "interval": "daily"}, "body.interval", "only daily"),
    "symbol of odd letters": ({"symbol": "A|B"}, "body.symbol", "pattern"),
    "no history": ({"history": []}, "history", "too few"),
    "one observation": ({"history": history(1.0)}, "history", "too few"),
    "null": ({"history": history(1.0, None, 2.0)}, "history.1.y", "null is not a finite"),
    "zero": ({"history": history(1.0, 0, 2.0)}, "history.1.y", "not a positive"),
    "negative": ({"history": history(1.0, 2.0, -3.0)}, "history.2.y", "not a positive"),
    "a word": ({"history": history(1.0, "much")}, "body.history.1.y", "number"),
    "unsorted": ({"history": history(1.0, 2.0)[::-1]}, "history.1.ds", "oldest first"),
    "twice": ({"history": [*history(1.0), *history(1.0)]}, "history.1.ds", "twice"),
    "no time": ({"history": [{"y": 1.0}, {"y": 2.0}]}, "body.history.0.ds", "required"),
    "too many": ({"history": history(1.0) * 5001}, "history", "too many"),
    "horizon 0": ({"history": history(1.0, 2.0), "horizon": 0}, "body.horizon", "greater"),
    "horizon 21": ({"history": history(1.0, 2.0), "horizon": 21}, "body.horizon", "less"),
    "horizon by halves": ({"history": history(1.0, 2.0), "horizon": 1.5}, "body.horizon", "integer"),
    "horizon by word": ({"history": history(1.0, 2.0), "horizon": "5"}, "body.horizon", "integer"),
    "horizon by yes": ({"history": history(1.0, 2.0), "horizon": True}, "body.horizon", "integer"),
    "horizon of nothing": ({"history": history(1.0, 2.0), "horizon": None}, "body.horizon", "integer"),
    "horizon beyond all": ({"history": history(1.0, 2.0), "horizon": 10**400}, "body.horizon", "less"),
    "a number as text": ({"history": history(1.0, "411.2")}, "body.history.1.y", "number"),
    "yes": ({"history": history(1.0, True)}, "body.history.1.y", "number"),
    "a list of a number": ({"history": history(1.0, [2.0])}, "body.history.1.y", "number"),
    "seconds as a time": ({"history": [{"ds": 1325624400, "y": 1.0}]}, "body.history.0.ds", "a time is text"),
    "seconds in text": ({"history": [{"ds": "1325624400", "y": 1.0}]}, "body.history.0.ds", "a time is text"),
    "yes as a time": ({"history": [{"ds": True, "y": 1.0}]}, "body.history.0.ds", "a time is text"),
    "a symbol by number": ({"symbol": 7}, "body.symbol", "string"),
    "a model by number": ({"symbol": "IBM", "model": 7}, "body.model", "string"),
    "a model of odd letters": ({"symbol": "IBM", "model": "a b"}, "body.model", "pattern"),
    "no model's name": ({"symbol": "IBM", "model": ""}, "body.model", "pattern"),
    "an interval by number": ({"symbol": "IBM", "interval": 1}, "body.interval", "only daily"),
    "hours": (
        {"history": [{"ds": f"2012-01-03T{hour}:00:00Z", "y": 1.0} for hour in (15, 16, 17)]},
        "history.1.ds",
        "2012-01-03 has another observation",
    ),
    "an unknown field": ({"symbol": "IBM", "horizn": 3}, "body.horizn", "not permitted"),
    "a list": ([], "body", "valid dictionary"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_predict_at_fault_is_refused_with_what_and_where(case: str) -> None:
    request, where, what = REFUSED[case]

    async def check() -> None:
        async with gateway(forecasting="http://127.0.0.1:9") as running:  # nobody is asked
            running.queries.rows = [bar(100.0, 0, "IBM")]
            answer = await running.http.post("/predict", json=request)
            assert answer.status_code == 422, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            found = answer.json()["errors"]
            assert any(each["where"] == where and what in each["what"] for each in found), found
            assert answer.json()["detail"]

    run(check())


@pytest.mark.parametrize(
    "ds",
    [
        "9999-12-31",
        "9999-12-31T23:00:00-05:00",
        "2262-04-12",
        "2262-01-01T00:00:00Z",
        "2261-12-31T23:00:00-05:00",
        "1677-09-20",
        "1677-12-31T23:59:59",
        "0001-01-01",
        "0001-01-01T00:00:00+05:00",
        "-0001-01-01",
        "12012-01-03",
        "2012-13-41",
    ],
)
def test_predict_of_a_time_that_nothing_can_be_computed_with_is_refused_in_our_words(ds: str) -> None:
    async def check() -> None:
        async with gateway(forecasting="http://127.0.0.1:9") as running:
            request = {"history": [*history(1.0), {"ds": ds, "y": 2.0}]}
            answer = await running.http.post("/predict", json=request)
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["where"] == "body.history.1.ds"
            assert not re.search("bounds|nanosecond|Timestamp|pandas|overflow", answer.text, re.IGNORECASE)

    run(check())


@pytest.mark.parametrize("ds", ["1678-01-01", "2261-12-31T23:59:59Z"])
def test_predict_of_the_first_and_the_last_time_that_can_be_computed_asks_the_model(ds: str) -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url) as running:
            points = sorted([*history(1.0), {"ds": ds, "y": 2.0}], key=lambda point: point["ds"])
            assert (await running.http.post("/predict", json={"history": points})).status_code == 200
            assert len(stand_in.asked) == 1

    run(check())


@pytest.mark.parametrize("model", ["champion", "arima", "7"])
def test_predict_of_a_named_model_asks_that_one(model: str) -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url) as running:
            running.queries.rows = [bar(100.0, day, "IBM") for day in range(3)]
            for request in ({"history": history(1.0, 2.0)}, {"symbol": "IBM"}):
                assert (await running.http.post("/predict", json={**request, "model": model})).status_code == 200
            assert (await running.http.post("/predict", json={"history": history(1.0, 2.0)})).status_code == 200
            assert stand_in.models == [model, model, None]

    run(check())


def test_predict_of_an_unknown_model_is_refused_with_those_there_are() -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url) as running:
            said = "no model 'prophet' is at work; there are champion, naive"
            stand_in.answer = lambda body: JSONResponse({"detail": said}, 404)
            request = {"history": history(1.0, 2.0), "model": "prophet"}
            answer = await running.http.post("/predict", json=request)
            assert answer.status_code == 422
            assert answer.json()["type"].endswith("unknown-model")
            assert answer.json()["errors"] == [{"where": "model", "what": said}]

    run(check())


@pytest.mark.parametrize(("sessions", "told"), [(2, True), (22, True), (23, False), (250, False)])
def test_predict_of_few_sessions_warns_of_whose_width_it_is(sessions: int, told: bool) -> None:
    async def check() -> None:
        async with scoring() as (_, url), gateway(forecasting=url) as running:
            running.queries.rows = [bar(100.0, day, "IBM") for day in range(sessions)]
            for request in ({"history": history(*[7.0] * sessions)}, {"symbol": "IBM"}):
                answer = await running.http.post("/predict", json=request)
                assert answer.status_code == 200, answer.text
                found = answer.json()["warnings"]
                assert bool(found) == told
                assert all(f"{sessions} sessions say little" in each for each in found)

    run(check())


def test_predict_of_weeks_warns_that_each_was_taken_for_a_session() -> None:
    async def check() -> None:
        async with scoring() as (_, url), gateway(forecasting=url) as running:
            weeks = [{"ds": (FIRST + timedelta(weeks=at)).isoformat(), "y": 7.0} for at in range(30)]
            (warning,) = (await running.http.post("/predict", json={"history": weeks})).json()["warnings"]
            assert "more than four days apart" in warning

    run(check())


def test_predict_whose_forecast_is_beyond_all_numbers_is_the_callers_fault() -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url) as running:

            def endless(body: dict[str, Any]) -> Response:
                text = stand_in.walk(body).body.decode().replace('"mean":2.0', '"mean":Infinity')
                return Response(text, media_type="application/json")

            stand_in.answer = endless  # type: ignore[assignment]
            answer = await running.http.post("/predict", json={"history": history(1.0, 2.0)})
            assert answer.status_code == 422
            assert "beyond all numbers" in answer.json()["detail"]

    run(check())


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_predict_with_a_number_that_is_not_finite_is_refused(number: str) -> None:
    async def check() -> None:
        async with gateway() as running:
            points = f'{{"ds": "2012-01-03", "y": 1}}, {{"ds": "2012-01-04", "y": {number}}}'
            content = f'{{"history": [{points}]}}'
            answer = await running.http.post("/predict", content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["where"] == "history.1.y"

    run(check())


@pytest.mark.parametrize("content", ["", "{", "\x00", '{"history": [', "[" * 5000])
def test_predict_of_what_is_no_json_is_refused(content: str) -> None:
    async def check() -> None:
        async with gateway() as running:
            answer = await running.http.post("/predict", content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422)
            assert answer.headers["content-type"] == "application/problem+json"

    run(check())


def test_predict_with_too_large_a_body_is_refused_whatever_length_it_declares() -> None:
    async def check() -> None:
        async def pieces() -> Any:
            for _ in range(10):
                yield b" " * 1000

        async with gateway(listening=True, body_limit=2048) as running:
            declared = await running.http.post("/predict", content=b" " * 4096)
            undeclared = await running.http.post(
                "/predict", content=pieces(), headers={"Content-Type": "application/json"}
            )
            assert [declared.status_code, undeclared.status_code] == [413, 413]

    run(check())


def test_predict_while_the_service_is_unreachable_asks_to_come_back() -> None:
    async def check() -> None:
        async with gateway(forecasting="http://127.0.0.1:9") as running:
            answer = await running.http.post("/predict", json={"history": history(1.0, 2.0)})
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.json()["type"].endswith("forecasting-away")

    run(check())


def test_predict_while_no_model_is_loaded_says_so_and_when_to_come_back() -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url) as running:
            stand_in.answer = lambda body: JSONResponse(
                {"detail": "no model is loaded yet: waiting for the alias champion"}, 503, {"Retry-After": "7"}
            )
            answer = await running.http.post("/predict", json={"history": history(1.0, 2.0)})
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "7"
            assert answer.json()["detail"].startswith("no model is loaded yet")

    run(check())


def test_predict_beyond_its_time_budget_is_given_up() -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url, predict_seconds=0.2) as running:
            stand_in.delay = 2
            answer = await running.http.post("/predict", json={"history": history(1.0, 2.0)})
            assert answer.status_code == 503
            assert answer.json()["type"].endswith(("prediction-late", "forecasting-away"))

    run(check())


@pytest.mark.parametrize("status", [400, 422])
def test_predict_that_the_model_refuses_is_told_why(status: int) -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url) as running:
            reason = "lstm needs at least 65 sessions, the history has 2"
            stand_in.answer = lambda body: JSONResponse({"error_code": "BAD_REQUEST", "message": reason}, status)
            answer = await running.http.post("/predict", json={"history": history(1.0, 2.0)})
            assert answer.status_code == 422
            assert answer.json()["detail"] == reason

    run(check())


NONSENSE: dict[str, Any] = {
    "no predictions": {},
    "a list": [],
    "too few steps": {"predictions": []},
    "steps without quantiles": {"predictions": [{"step": step, "ds": "2012-01-04", "mean": 1} for step in range(1, 6)]},
    "no times": {"predictions": [{"step": 1, "ds": "tomorrow", "mean": 1}]},
}


@pytest.mark.parametrize("case", NONSENSE)
def test_predict_answered_with_nonsense_is_the_services_fault(case: str) -> None:
    async def check() -> None:
        async with scoring() as (stand_in, url), gateway(forecasting=url) as running:
            stand_in.answer = lambda body: JSONResponse(NONSENSE[case])
            answer = await running.http.post("/predict", json={"history": history(1.0, 2.0)})
            assert answer.status_code == 503
            assert "Traceback" not in answer.text

    run(check())


def test_predict_while_mongodb_is_away_asks_to_come_back() -> None:
    async def check() -> None:
        async with gateway() as running:
            running.queries.failure = away("MongoDB", "MongoDB does not answer now.")
            answer = await running.http.post("/predict", json={"symbol": "AAPL"})
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "2"

    run(check())
