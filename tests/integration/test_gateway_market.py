"""Whether a real exchange trades: the producers know its calendar, the gateway tells the page."""

import json
import signal
from datetime import UTC, datetime

import pytest

from gateway.schemas.pipeline import Pipeline
from producers.sessions import calendar_of
from streaming.settings import StreamSettings
from tests.integration.gatewaying import GatewayProcess
from tests.integration.producing import Process, until
from tests.support.ports import HOST, free_port
from tests.support.topics import clear_topics

CSV = "date,open,high,low,close,volume\n2012-01-03,10,11,9,10.5,1000\n"


@pytest.fixture
def gateway(isolated, tmp_path):
    """A gateway beside producers that read a CSV file by the wall clock."""
    (tmp_path / "ACME.csv").write_text(CSV)
    port = free_port()
    source = {"FORETICK_SOURCE": "csv", "FORETICK_CSV_PATH": str(tmp_path), "FORETICK_SYMBOLS": "ACME"}
    source["FORETICK_OPS_PORT"] = str(port)
    producers = Process("producers.main", tmp_path, port, isolated.environment | source)
    services = json.dumps({"producers": f"http://{HOST}:{port}"})
    gateway = GatewayProcess(tmp_path, isolated.environment | {"FORETICK_SERVICES": services})
    producers.start()
    gateway.start()
    yield gateway
    gateway.end(signal.SIGKILL)
    producers.end(signal.SIGKILL)
    clear_topics(StreamSettings())


def test_pipeline_beside_a_real_market_tells_its_hours(gateway):
    def market():
        answer = gateway.get("/api/pipeline")
        return answer is not None and answer.is_success and Pipeline.model_validate(answer.json()).market

    told = until(market, "the producers told the market's hours")
    expected = calendar_of(None, "XNYS").hours(datetime.now(UTC))
    assert told.calendar == "XNYS"
    assert (told.open, told.last_close, told.close_before, told.changes_at) == (
        expected.open, expected.last_close, expected.close_before, expected.changes_at,
    )  # fmt: skip
