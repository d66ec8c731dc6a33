"""Prometheus metrics of the projections, taken from their status when they are asked for."""

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from projections.statuses import COUNTERS, GAUGES, samples

_LABELS = ("read_model", "topic", "partition")


class _StatusCollector(Collector):
    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {
            name: GaugeMetricFamily(f"foretick_projection_{name}", text, labels=_LABELS)
            for name, text in GAUGES.items()
        }
        for name, text in COUNTERS.items():
            families[name] = CounterMetricFamily(f"foretick_projection_{name}", text, labels=_LABELS)
        for name, labels, value in samples(self._status()):
            families[name].add_metric(labels, value)
        yield from families.values()


def export(status: Callable[[], dict[str, Any]], registry: CollectorRegistry = REGISTRY) -> None:
    """Offer a service's status as metrics."""
    registry.register(_StatusCollector(status))
