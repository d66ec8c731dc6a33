"""What Prometheus reads of the gateway."""

from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_DELAYS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)
_AGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)


class HubState(Protocol):
    """What a hub tells of itself."""

    @property
    def source(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def queued(self) -> int: ...

    @property
    def deepest(self) -> int: ...


class GatewayMetrics:
    """The gateway's own registry: two gateways in one process (as in tests) do not meet in it."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.clients = Gauge("foretick_gateway_clients", "Open sockets.", registry=registry)
        self.queued = Gauge("foretick_gateway_queued", "Messages that wait for clients.", registry=registry)
        self.deepest = Gauge("foretick_gateway_queue_depth_max", "Messages in the longest queue.", registry=registry)
        self.live = Gauge("foretick_gateway_live", "1 while Kafka is read.", registry=registry)
        self.relayed = Counter("foretick_gateway_relayed", "Events read from Kafka.", registry=registry)
        self.frames = Counter("foretick_gateway_frames", "Frames sent.", registry=registry)
        self.delivered = Counter("foretick_gateway_delivered", "Events sent, once for each client.", registry=registry)
        self.conflated = Counter(
            "foretick_gateway_conflated", "Messages dropped for newer ones of their symbol.", registry=registry
        )
        self.closes = Counter("foretick_gateway_closes", "Sockets ended, by code.", ["code"], registry=registry)
        self.refused = Counter("foretick_gateway_refused", "Sockets refused, by reason.", ["reason"], registry=registry)
        self.denied = Counter(
            "foretick_gateway_denied",
            "Requests and sockets that the door kept out, by reason.",
            ["reason"],
            registry=registry,
        )
        self.delivery = Histogram(
            "foretick_gateway_delivery_seconds",
            "From an event's reading to the socket's taking it, by frame.",
            buckets=_DELAYS,
            registry=registry,
        )
        self.event_age = Histogram(
            "foretick_gateway_event_age_seconds",
            "From an event's publishing to its reading.",
            buckets=_AGES,
            registry=registry,
        )
        self.event_delivery = Histogram(
            "foretick_gateway_event_delivery_seconds",
            "From an event's publishing to the socket's taking it, by frame.",
            buckets=_AGES,
            registry=registry,
        )
        self.requests = Histogram(
            "foretick_gateway_request_seconds",
            "HTTP requests by route and status.",
            ["method", "route", "status"],
            buckets=_DELAYS,
            registry=registry,
        )
        self.predictions = Counter(
            "foretick_gateway_predictions", "Predictions asked for, by outcome.", ["outcome"], registry=registry
        )

        self.breaker = Gauge("foretick_gateway_breaker_open", "1 while the models are left alone.", registry=registry)

    def watch(self, hub: HubState) -> None:
        """Take what the hub knows at each reading."""
        self.clients.set_function(lambda: hub.size)
        self.queued.set_function(lambda: hub.queued)
        self.deepest.set_function(lambda: hub.deepest)
        self.live.set_function(lambda: float(hub.source == "live"))

    def text(self) -> bytes:
        """Return all of it as Prometheus text."""
        return generate_latest(self.registry)
