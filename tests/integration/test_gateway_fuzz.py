"""Nothing that a stranger sends makes the gateway fail, leak or drop somebody else."""

import asyncio
import json
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import psutil
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from contracts.events import ForecastScored, ModelPromoted
from contracts.samples import sample
from gateway.app import create_app
from gateway.settings import GatewaySettings
from projections.settings import ProjectionSettings
from streaming.publisher import Publisher
from tests.integration.gatewaying import HOST, TOPIC, GatewayProcess, bars, forecasts, publish
from tests.integration.projecting import Running, clear
from tests.support.gateways import scoring
from tests.support.waiting import PATIENCE, until

ALLOWED_ENDS = {1000, 1002, 1003, 1007, 1009, 3008}  # the caller's own fault; never 1011 or 1006
# A bare date is taken for a time; a schema does not tell what a cursor is; 503 is judged below.
LENIENT = [not_a_server_error, negative_data_rejection, positive_data_acceptance]
BOUNDED = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
SCHEMA = schemathesis.openapi.from_dict(create_app(GatewaySettings()).openapi())


@pytest.fixture(scope="module")
def models() -> Iterator[str]:
    """Run a stand-in for the models in a thread; yield its URL."""
    ready, done = threading.Event(), asyncio.Event()
    found: list[tuple[asyncio.AbstractEventLoop, str]] = []

    async def serve() -> None:
        async with scoring() as (_, url):
            found.append((asyncio.get_running_loop(), url))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE * 20)
    yield found[0][1]
    found[0][0].call_soon_threadsafe(done.set)
    thread.join(PATIENCE * 20)


@pytest.fixture(scope="module")
def gateway(isolated_module, models, tmp_path_factory):
    projected = ProjectionSettings(snapshot_seconds=0)
    publish(projected, [*bars(50), *forecasts(5), sample(ForecastScored), sample(ModelPromoted)])
    with Running(projected) as running:
        running.catch_up()
        limits = {
            "FORETICK_FORECASTING": models,
            "FORETICK_PREDICT_PER_MINUTE": "0",
            "FORETICK_MIN_POSITION_SECONDS": "0",
            "FORETICK_RESUME_GRACE": "0.2",
        }
        gateway = GatewayProcess(tmp_path_factory.mktemp("gateway"), isolated_module.environment | limits)
        gateway.start()
        gateway.live()
        yield gateway
        gateway.end(signal.SIGKILL)
    clear(projected)


@SCHEMA.include(path_regex="^/(api|predict|metrics|health/live)").parametrize()
@settings(BOUNDED, max_examples=20)
def test_rest_given_whatever_its_schema_allows_or_forbids_answers_as_it_says(case, gateway) -> None:
    answer = case.call(base_url=gateway.url)
    case.validate_response(answer, excluded_checks=LENIENT)
    if answer.status_code >= 500:  # the one thing here that is truly not there
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("position-not-reached")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["AAPL", TOPIC, "0", -1]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)
RESUME = st.fixed_dictionaries(
    {"type": st.just("resume"), "positions": st.one_of(JSON, st.dictionaries(st.just(TOPIC), JSON))},
    optional={"epochs": JSON, "id": JSON},
)
POINT = st.fixed_dictionaries({"ds": st.one_of(st.just("2012-01-03"), JSON), "y": st.one_of(st.floats(), JSON)})
ASK = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "symbol": st.one_of(st.just("AAPL"), JSON),
        "horizon": st.one_of(st.integers(-1, 25), JSON),
        "interval": st.one_of(st.just("P1D"), JSON),
        "model": st.one_of(st.just("naive"), JSON),
        "history": st.one_of(st.lists(POINT, max_size=5), JSON),
        "type": JSON,
    },
)
DEEP = st.integers(1, 3000).map(lambda depth: '{"id":' + "[" * depth + "]" * depth + "}")
SAID = st.one_of(
    st.one_of(RESUME, ASK, JSON).map(json.dumps),
    st.text(max_size=50),
    st.binary(max_size=50),
    DEEP,
    st.just("x" * 2**20),
)
PATHS = st.one_of(
    st.sampled_from(["/live", "/forecast", "/live?symbols=AAPL", "/forecast?roles=KING&interval=P1D"]),
    st.text("abc,%20&=é\u0000", max_size=12).map(lambda text: f"/live?symbols={text.encode().hex()}&interval=x"),
)


def hear_until(ws: ClientConnection, offsets: set[int], wanted: int) -> None:
    while len(offsets) < wanted:
        found = json.loads(ws.recv(timeout=PATIENCE * 15))
        messages = found if isinstance(found, list) else [found]
        offsets |= {message["partition"] << 32 | message["offset"] for message in messages if message["type"] == "bar"}
        assert not [message for message in messages if message["type"] == "gap"]


@pytest.fixture(scope="module")
def witness(gateway) -> Iterator[tuple[ClientConnection, set[int]]]:
    """Hear everything while others misbehave."""
    with connect(f"ws://{HOST}:{gateway.port}/live") as ws:
        ws.send('{"type":"resume","positions":{}}')
        ws.recv(timeout=PATIENCE * 10)
        yield ws, set()


@pytest.fixture(scope="module")
def publisher(gateway) -> Iterator[Publisher]:
    with Publisher(ProjectionSettings(), "/tests") as publisher:
        yield publisher


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@settings(BOUNDED, max_examples=60)
@given(path=PATHS, said=st.lists(SAID, min_size=1, max_size=6))
def test_socket_given_anything_stays_or_ends_by_its_own_fault_and_nobody_else_notices(
    gateway, publisher, witness, path, said
) -> None:
    with connect(f"ws://{HOST}:{gateway.port}{path}") as ws:
        code = None
        try:
            for message in said:
                ws.send(message)
            ws.send('{"id":"the last","horizon":0}')  # what is wrong with it is told: the socket lives
            while not any(each.get("id") == "the last" for each in heard(ws)):
                pass
        except ConnectionClosed as end:
            code = end.rcvd.code if end.rcvd else 1006
        assert code is None or code in ALLOWED_ENDS, (code, said)
    watching, offsets = witness
    first = 100 + len(offsets)
    for bar in bars(2, first=first):
        publisher.publish(bar, time=datetime.now(UTC))
    publisher.flush(10)
    hear_until(watching, offsets, len(offsets) + 2)


def heard(ws: ClientConnection) -> list[dict[str, object]]:
    found = json.loads(ws.recv(timeout=PATIENCE * 15))
    return found if isinstance(found, list) else [found]


HEADERS = ["Origin", "Cookie", "Authorization", "X-Request-ID", "traceparent", "If-None-Match", "Accept"]
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"]), max_size=40)


@settings(BOUNDED, max_examples=40)
@given(head=st.dictionaries(st.sampled_from(HEADERS), LATIN, max_size=4))
def test_headers_given_anything_are_no_reason_to_fail(gateway, http, head) -> None:
    encoded = [(name, value.strip().encode("latin-1")) for name, value in head.items()]
    for path in ("/api/symbols", "/"):
        assert http.get(gateway.url + path, headers=encoded).status_code < 500


def test_gateway_after_all_that_has_kept_nothing_and_logged_no_failure(gateway, witness) -> None:
    process = psutil.Process(gateway._process.pid)
    until(lambda: gateway.metric("foretick_gateway_clients") == 1, "only the witness is left", 20)
    assert gateway.metric("foretick_gateway_queued") == 0
    assert process.memory_info().rss < 300 * 2**20
    assert process.num_fds() < 100
    log = gateway.log.read_text()
    assert "Traceback" not in log, log[-3000:]
    assert "a request failed" not in log


def test_socket_to_a_path_that_is_none_is_refused_without_a_failure(gateway) -> None:
    for path in ("/nowhere", "/api/symbols", "/live/more"):
        with pytest.raises((InvalidStatus, InvalidMessage)) as refusal, connect(f"ws://{HOST}:{gateway.port}{path}"):
            pass
        assert isinstance(refusal.value, InvalidStatus)
        assert refusal.value.response.status_code in (403, 404)
