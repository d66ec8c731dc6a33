"""One trace from a bar's publishing over the forecast that it caused to the client that was sent both."""

import asyncio
import gzip
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from contracts.topics import STOCK_DATA
from streaming.publisher import Publisher
from streaming.reader import read_all
from streaming.settings import StreamSettings
from streaming.tracing import tracing
from tests.integration.gatewaying import HOST, GatewayProcess, bars, forecasts, run
from tests.support.waiting import until


class Collector:
    """An OpenTelemetry collector that remembers spans."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self.server.server_port}"

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            (service,) = (a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]

    def named(self, name: str) -> list[tuple[str, Span]]:
        return [(service, span) for service, span in self.spans if span.name == name]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    threading.Thread(target=collector.server.serve_forever, daemon=True).start()
    yield collector
    collector.server.shutdown()


@pytest.fixture
def gateway(isolated, collector, tmp_path):
    gateway = GatewayProcess(tmp_path, isolated.environment | {"FORETICK_OTLP_ENDPOINT": collector.url})
    gateway.start()
    gateway.live()
    yield gateway
    gateway.end(signal.SIGKILL)


def test_trace_of_a_bar_goes_over_its_forecast_to_the_client(gateway, collector):
    settings = StreamSettings()

    def publish_both():
        tracing.start("tests", collector.url)
        try:
            with Publisher(settings, "/tests") as publisher:
                publisher.publish(bars(1)[0], time=datetime.now(UTC))
                publisher.flush(10)
                (cause,) = read_all(settings, STOCK_DATA)
                publisher.publish(forecasts(1)[0], time=datetime.now(UTC), cause=cause)
        finally:
            tracing.stop()

    async def check():
        async with gateway.socket("/live") as live, gateway.socket("/forecast") as forecast:
            for ear in (live, forecast):
                await ear.say(type="resume", positions={})
                await ear.hear(1, "hello")
            await asyncio.to_thread(publish_both)
            await live.hear(1, "bar")
            await forecast.hear(1, "forecast")

    run(check())
    names = ("publish stock-data", "publish stock-forecasts", "deliver stock-data", "deliver stock-forecasts")
    until(lambda: all(collector.named(name) for name in names), "all four spans were exported", 20)
    spans = {name: collector.named(name)[0] for name in names}
    assert {span.trace_id for _, span in spans.values()} == {spans["publish stock-data"][1].trace_id}
    parents = {name: span.parent_span_id for name, (_, span) in spans.items()}
    assert not parents["publish stock-data"]
    assert parents["publish stock-forecasts"] == spans["publish stock-data"][1].span_id
    assert parents["deliver stock-data"] == spans["publish stock-data"][1].span_id
    assert parents["deliver stock-forecasts"] == spans["publish stock-forecasts"][1].span_id
    assert spans["deliver stock-data"][0] == "foretick-gateway"
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for _, span in spans.values())
    until(lambda: collector.named("GET /metrics"), "requests have spans, too", 20)
