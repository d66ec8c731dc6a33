"""What holds of every answer: headers, ids, sizes, problem details, and an OpenAPI that says all of it."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.app import create_app
from gateway.describe.socket_messages import MODELS
from gateway.problems import away
from gateway.settings import GatewaySettings
from streaming.policies import POLICY_HEADERS, STRICT, by_hash, csp
from tests.support.event_streams import run
from tests.support.gateways import Gateway, gateway
from tests.unit.gateway.http.test_authentication import READER, TOKENS
from tests.unit.gateway.predict.test_predictor import bar


def test_answer_of_any_kind_carries_the_security_headers_and_an_id() -> None:
    async def check() -> None:
        async with gateway() as running:
            for path in ("/", "/docs", "/health/live", "/api/nothing", "/api/symbols", "/metrics"):
                answer = await running.http.get(path)
                assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "same-origin"  # else our forms name no origin
                assert answer.headers["X-Request-ID"]

    run(check())


def test_answer_of_the_server_itself_has_every_header_of_the_house_and_does_not_say_what_serves_it() -> None:
    async def check() -> None:
        async with gateway(listening=True, tokens=TOKENS) as running:
            asked = {
                "/": 200,
                "/sign-in": 200,
                "/favicon.png": 404,
                "/api/symbols": 401,
                "/docs": 200,
                "/health/live": 200,
            }
            answers = {path: await running.http.get(path) for path in asked}
            assert {path: answer.status_code for path, answer in answers.items()} == asked
            foreign = await running.http.get("/", headers={"Host": "evil.example"})
            assert foreign.status_code == 400
            for answer in (*answers.values(), foreign):
                assert {name: answer.headers[name] for name in POLICY_HEADERS} == POLICY_HEADERS
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
                assert not {"server", "x-powered-by"} & set(answer.headers)
                kind = answer.headers["Content-Type"]
                assert kind in ("application/json", "application/problem+json", "text/html; charset=utf-8")

    run(check())


def test_preflight_is_answered_strictly_and_to_our_own_names_alone() -> None:
    async def check() -> None:
        async with gateway(origins=["https://charts.example"]) as running:
            asked = {"Origin": "https://charts.example", "Access-Control-Request-Method": "GET"}
            answer = await running.http.options("/api/symbols", headers=asked)
            assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, asked["Origin"])
            assert {name: answer.headers.get(name) for name in STRICT} == STRICT
            foreign = await running.http.options("/api/symbols", headers=asked | {"Host": "evil.example"})
            assert foreign.status_code == 400

    run(check())


def test_answer_to_a_handshake_is_strict_whoever_gives_it() -> None:
    async def check() -> None:
        async with gateway(listening=True, tokens=TOKENS) as running:
            shown = {"Authorization": f"Bearer {READER}"}
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
            asked = upgrade | {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
            for path, headers, status in (
                ("/live", asked, 401),
                ("/live", asked | shown | {"Origin": "https://evil.example"}, 403),
                ("/live", asked | {"Host": "evil.example"}, 403),
                ("/live?interval=" + "x" * 17, asked | shown, 403),
                ("/nowhere", asked, 403),
                ("/live", upgrade, 400),
                ("/live", asked | shown, 101),
            ):
                async with running.http.stream("GET", path, headers=headers) as answer:
                    assert answer.status_code == status, (path, headers)
                    assert {name: answer.headers.get(name) for name in STRICT} == STRICT, (path, headers)

    run(check())


def test_problem_and_metrics_are_stored_by_nobody() -> None:
    async def check() -> None:
        async with gateway() as running:
            for path in ("/metrics", "/api/nothing", "/api/bars/AAPL?limit=0", "/api/bars/NONE"):
                assert (await running.http.get(path)).headers["Cache-Control"] == "no-store", path

    run(check())


def test_answer_that_concerns_a_token_is_stored_by_nobody() -> None:
    async def check() -> None:
        async with gateway(tokens=TOKENS) as running:
            shown = {"Authorization": f"Bearer {READER}"}
            asked = (
                running.http.get("/sign-in"),
                running.http.post("/sign-in", data={"token": "ftk_stranger"}),
                running.http.post("/api/ticket", headers=shown),
                running.http.get("/market", headers={"Accept": "text/html"}),  # leads to /sign-in
                running.http.post("/sign-in", data={"token": READER}),
                running.http.post("/sign-out"),
            )
            for each in asked:
                assert (await each).headers["Cache-Control"] == "no-store"

    run(check())


def test_nothing_is_changed_by_a_get_and_no_request_is_sent_back() -> None:
    async def check() -> None:
        async with gateway() as running:
            for path in ("/predict", "/api/csv", "/api/ticket", "/sign-out"):
                answer = await running.http.get(path)
                assert (answer.status_code, answer.headers.get("Set-Cookie")) == (405, None), path
            for path in ("/", "/api/symbols", "/health/live"):
                answer = await running.http.request("TRACE", path, headers={"X-Secret": "hunter2"})
                assert (answer.status_code, "hunter2" in answer.text) == (405, False), path

    run(check())


def test_csp_lets_no_script_in_that_is_not_ours() -> None:
    policy = csp(by_hash("p{color:red}"))
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert "unsafe" not in policy
    assert rules["script-src"] == "'self'"
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert (rules["object-src"], rules["base-uri"]) == ("'none'", "'none'")


def test_request_with_an_id_of_its_own_keeps_it_unless_a_log_could_not_bear_it() -> None:
    async def check() -> None:
        async with gateway() as running:
            kept = await running.http.get("/health/live", headers={"X-Request-ID": "abc-1"})
            replaced = await running.http.get("/health/live", headers={"X-Request-ID": "a\tb" * 40})
            assert kept.headers["X-Request-ID"] == "abc-1"
            assert len(replaced.headers["X-Request-ID"]) == 32

    run(check())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/bars", 404),
        ("POST", "/api/symbols", 405),
        ("POST", "/nowhere", 405),
        ("GET", "/api/bars/AAPL?limit=0", 422),
        ("GET", "/api/bars/AAPL?limit=many", 422),
        ("GET", "/api/bars/AAPL?interval=daily", 422),
        ("GET", "/api/bars/AAPL?start=yesterday", 422),
        ("GET", "/api/bars/AAPL?start=1325624400", 422),
        ("GET", "/api/bars/AAPL?as_of=0001-01-01T00:00:00%2B05:00", 422),
        ("GET", "/api/bars/AAPL?end=9999-12-31T23:00:00-05:00", 422),
        ("GET", "/api/actions/AAPL?as_of=1e9", 422),
        ("GET", "/api/forecasts/AAPL?origin=0001-01-01T00:00:00%2B05:00", 422),
        ("GET", "/api/forecasts/AAPL?before=0001-01-01T00:00:00%2B05:00", 422),
        ("GET", "/api/bars/AAPL?adjust=dividends", 422),
        ("GET", "/api/forecasts/AAPL?role=KING", 422),
        ("GET", "/api/forecasts/AAPL?before=xx|yy", 422),
        ("GET", "/api/leaderboard?step=0", 422),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd.txt", 404),
        ("GET", "/a%00b.txt", 404),
    ],
)
def test_request_at_fault_is_answered_with_problem_details(method: str, path: str, status: int) -> None:
    async def check() -> None:
        async with gateway() as running:
            answer = await running.http.request(method, path)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            body = answer.json()
            assert body["status"] == status
            assert body["type"].startswith("urn:foretick:problem:")
            assert body["title"]
            assert body["detail"]

    run(check())


def test_request_that_meets_a_bug_tells_nothing_of_it() -> None:
    async def check() -> None:
        async with gateway() as running:
            running.queries.failure = RuntimeError("secret: mongodb://user:password@host")
            answer = await running.http.get("/api/symbols")
            assert answer.status_code == 500
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["Content-Security-Policy"] == csp()
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text

    run(check())


def test_request_that_meets_a_bug_is_logged_with_what_went_wrong() -> None:
    async def check() -> None:
        async with gateway() as running:
            running.queries.failure = failure = RuntimeError("the cause")
            with capture_logs() as lines:
                await running.http.get("/api/symbols?token=hunter2")
            logged = next(line for line in lines if line["event"] == "a request failed")
            assert (logged["log_level"], logged["path"], logged["exc_info"]) == ("error", "/api/symbols", failure)
            assert "hunter2" not in str(lines)  # addresses are logged without their query

    run(check())


def test_request_while_mongodb_is_away_is_asked_to_come_back() -> None:
    async def check() -> None:
        async with gateway() as running:
            running.queries.failure = away("MongoDB", "MongoDB does not answer now.")
            for path in ("/api/symbols", "/api/bars/AAPL", "/api/forecasts/AAPL"):
                answer = await running.http.get(path)
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) > 0
            running.queries.failure = None
            assert (await running.http.get("/api/symbols")).status_code == 200

    run(check())


def test_request_to_a_foreign_host_name_is_refused() -> None:
    async def check() -> None:
        async with gateway(hosts=["charts.example"]) as running:
            foreign = await running.http.get("/api/symbols", headers={"Host": "rebound.example"})
            assert foreign.status_code == 400
            for name in ("charts.example", "localhost:8000", "[::1]:8000", "127.0.0.1"):
                assert (await running.http.get("/health/live", headers={"Host": name})).status_code == 200

    run(check())


def test_list_answers_carry_their_position_in_body_and_header() -> None:
    async def check() -> None:
        async with gateway() as running:
            answer = await running.http.get("/api/symbols")
            assert answer.json()["position"] == {"stock-data": {"0": 3}}
            assert json.loads(answer.headers["X-Stream-Position"]) == answer.json()["position"]
            assert answer.headers["Cache-Control"] == "private, no-cache"

    run(check())


def test_metrics_tell_requests_clients_and_whether_the_log_is_read() -> None:
    async def check() -> None:
        async with gateway() as running:
            await running.http.get("/api/bars/AAPL")
            text = (await running.http.get("/metrics")).text
            labels = 'method="GET",route="/api/bars/{symbol}",status="404"'
            assert f"foretick_gateway_request_seconds_count{{{labels}}} 1" in text
            assert "foretick_gateway_clients 0.0" in text
            assert "foretick_gateway_live 0.0" in text

    run(check())


async def spec_of(running: Gateway) -> dict[str, Any]:
    answer: httpx.Response = await running.http.get("/openapi.json")
    found: dict[str, Any] = answer.json()
    return found


def test_openapi_describes_every_route_with_examples_and_problems() -> None:
    async def check() -> None:
        async with gateway() as running:
            spec = await spec_of(running)
            assert set(spec["paths"]) == {
                "/api/symbols", "/api/csv", "/api/bars/{symbol}", "/api/actions/{symbol}", "/api/forecasts/{symbol}",
                "/api/models", "/api/promotions", "/api/leaderboard", "/api/lineage/{forecast_id}", "/api/pipeline",
                "/api/caller", "/api/ticket", "/predict", "/health/live", "/health/ready", "/metrics",
            }  # fmt: skip
            for path, operations in spec["paths"].items():
                for operation in operations.values():
                    assert operation["description"], path
                    for status, response in operation["responses"].items():
                        if int(status) >= 400 and not path.startswith("/health"):
                            assert list(response["content"]) == ["application/problem+json"], (path, status)
            bar = spec["components"]["schemas"]["Bar"]["properties"]
            assert all("examples" in field for field in bar.values())
            assert len(spec["components"]["schemas"]["PredictRequest"]["examples"]) == 2
            assert "HTTPValidationError" not in json.dumps(spec)

    run(check())


def test_openapi_refers_only_to_schemas_that_are_there() -> None:
    async def check() -> None:
        async with gateway() as running:
            spec = await spec_of(running)
            names = set(spec["components"]["schemas"])
            text = json.dumps(spec)
            used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
            assert used <= names

    run(check())


def test_openapi_examples_of_socket_messages_are_what_they_say() -> None:
    async def check() -> None:
        async with gateway() as running:
            spec = await spec_of(running)
            models = {model.__name__: model for model in MODELS}
            tried = 0
            for hook in spec["webhooks"].values():
                content = hook["post"]["requestBody"]["content"]["application/json"]
                model = models[content["schema"]["$ref"].rsplit("/", 1)[-1]]
                for example in content.get("examples", {}).values():
                    model.model_validate(example["value"])
                    tried += 1
            assert len(spec["webhooks"]) == 9
            assert tried >= 8

    run(check())


def test_openapi_tells_the_scope_of_every_route() -> None:
    async def check() -> None:
        async with gateway() as running:
            spec = await spec_of(running)
            assert spec["paths"]["/predict"]["post"]["security"] == [{"token": ["predict"]}, {}]
            assert spec["paths"]["/api/symbols"]["get"]["security"] == [{"token": ["read"]}, {}]
            assert spec["paths"]["/health/live"]["get"]["security"] == [{}]

    run(check())


def test_list_that_has_not_changed_is_answered_by_304_with_a_newer_position() -> None:
    async def check() -> None:
        async with gateway() as running:
            running.queries.rows = [bar(10.0, 0), bar(11.0, 1)]
            first = await running.http.get("/api/bars/AAPL")
            held = {"If-None-Match": first.headers["ETag"]}
            assert first.headers["Cache-Control"] == "private, no-cache"
            running.queries.reached = {"stock-data": {"0": 9}}
            again = await running.http.get("/api/bars/AAPL", headers=held)
            assert (again.status_code, again.content) == (304, b"")
            assert json.loads(again.headers["X-Stream-Position"]) == {"stock-data": {"0": 9}}
            running.queries.rows.append(bar(12.0, 2))
            changed = await running.http.get("/api/bars/AAPL", headers=held)
            assert changed.status_code == 200
            assert changed.headers["ETag"] != first.headers["ETag"]

    run(check())


def test_list_with_a_position_waits_until_the_read_model_is_there() -> None:
    async def check() -> None:
        async with gateway() as running:
            running.queries.rows = [bar(10.0, 0)]
            asking = asyncio.create_task(running.http.get('/api/bars/AAPL?min_position={"stock-data":{"0":5}}'))
            asked = running.queries.asked
            while running.queries.asked < asked + 3:
                await asyncio.sleep(0.01)
            assert not asking.done()
            running.queries.reached = {"stock-data": {"0": 5}}
            assert (await asking).json()["position"] == {"stock-data": {"0": 5}}

    run(check())


def test_list_with_a_position_that_does_not_come_is_given_up() -> None:
    async def check() -> None:
        async with gateway(min_position_seconds=0.2) as running:
            answer = await running.http.get('/api/bars/AAPL?min_position={"stock-data":{"0":5}}')
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
            assert "stock-data[0] is at 3 of 5" in answer.json()["detail"]

    run(check())


@pytest.mark.parametrize("text", ["5", "[]", "{", '{"stock-data":{"x":1}}', '{"stock-data":{"0":-1}}', '{"a":{"0":1}}'])
def test_list_with_a_position_that_is_none_is_refused(text: str) -> None:
    async def check() -> None:
        async with gateway() as running:
            answer = await running.http.get("/api/bars/AAPL", params={"min_position": text})
            assert answer.status_code == 422
            assert "min_position" in answer.json()["detail"]

    run(check())


def test_docs_name_every_route_and_need_no_script() -> None:
    async def check() -> None:
        async with gateway() as running:
            page = (await running.http.get("/docs")).text
            for path in (await spec_of(running))["paths"]:
                assert path in page
            assert "<script" not in page
            assert "http://" not in page
            assert "https://" not in page

    run(check())


def test_app_made_opens_nothing() -> None:
    create_app(GatewaySettings(kafka="127.0.0.1:9", mongodb="mongodb://127.0.0.1:9"))  # type: ignore[arg-type]


def test_each_list_is_read_by_position_and_by_tag() -> None:
    spec = create_app(GatewaySettings()).openapi()
    lists = {}
    for path, operations in spec["paths"].items():
        content = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
        if "items" in spec["components"]["schemas"].get(name, {}).get("properties", {}):
            lists[path] = operations["get"]
    assert len(lists) == 7, set(lists)
    for path, operation in lists.items():
        taken = {parameter["name"].lower() for parameter in operation["parameters"]}
        assert {"min_position", "if-none-match"} <= taken, path
        assert {"304", "422", "503"} <= set(operation["responses"]), path


@pytest.mark.parametrize("path", ["/api/symbols", "/api/models", "/api/promotions", "/api/leaderboard"])
def test_list_that_has_not_changed_is_answered_by_304(path: str) -> None:
    async def check() -> None:
        async with gateway() as running:
            first = await running.http.get(path)
            assert first.status_code == 200, first.text
            again = await running.http.get(path, headers={"If-None-Match": first.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
            late = await running.http.get(path, params={"min_position": '{"no-such-topic":{"0":5}}'})
            assert late.status_code in (422, 503)

    run(check())
