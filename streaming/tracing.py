"""Traces (OpenTelemetry): exported by OTLP over HTTP when an address is set; without one nothing is made or kept.

A bar's publishing begins a trace; the forecast that it causes, and the sending of both to a client, go on in it: the
`traceparent` of a message is the span that published it.
"""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_CONTEXT = TraceContextTextMapPropagator()

Attributes = Mapping[str, str | int | float]


class Tracing:
    """The process's tracing, off until an address is given."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer = trace.NoOpTracer()

    @property
    def on(self) -> bool:
        """Tell whether spans go anywhere."""
        return self._provider is not None

    def start(self, service: str, endpoint: str) -> None:
        """Export spans of this process from now on; an empty address: none."""
        if not endpoint:
            return
        # Imported here: it would add a tenth to the start of services that export nothing.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._provider = TracerProvider(resource=Resource.create({"service.name": f"foretick-{service}"}))
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
        self._tracer = self._provider.get_tracer("foretick")

    def stop(self) -> None:
        """Export what is left, and no more."""
        if self._provider is not None:
            self._provider.shutdown()
        self._provider, self._tracer = None, trace.NoOpTracer()

    def span(self, name: str, kind: SpanKind, parent: str | None, attributes: Attributes, ago: float = 0.0) -> Span:
        """Begin a span, `ago` seconds before now, in the trace of a `traceparent` or a new one; the caller ends it."""
        context = _CONTEXT.extract({"traceparent": parent or ""})
        begun = time.time_ns() - int(ago * 1e9)
        return self._tracer.start_span(name, context, kind, dict(attributes), start_time=begun)


def traceparent(span: Span) -> str:
    """Return what makes others go on in a span's trace."""
    carrier: dict[str, str] = {}
    _CONTEXT.inject(carrier, trace.set_span_in_context(span))
    return carrier.get("traceparent", "")


tracing = Tracing()
