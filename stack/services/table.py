"""The one table of everything that runs."""

import sys
from functools import partial

from stack.layout import Layout
from stack.services import airflow, health, kafka, mlflow, mongodb, registry
from stack.services.artifacts import located
from stack.services.service import Service, nothing
from stack.services.topics_and_schemas import prepare_log

SERVERS = ("kafka", "registry", "mongodb", "mlflow")
SERVICES = ("exchange", "producers", "projections", "forecasting", "scoring", "gateway")
_MODULES = {
    "exchange": "producers.exchange.api",
    "producers": "producers.main",
    "projections": "projections.main",
    "forecasting": "forecasting.serving.main",
    "scoring": "forecasting.scoring.main",
    "gateway": "gateway.main",
}
_NEEDS = {
    "exchange": (),
    "producers": ("kafka", "registry"),
    "projections": ("kafka", "registry", "mongodb"),
    "forecasting": ("kafka", "registry", "mlflow"),
    "scoring": ("kafka", "registry"),
    "gateway": ("kafka", "registry", "mongodb"),
}
SERVICE_NAMES = (*SERVERS, *airflow.AIRFLOW_NAMES, *SERVICES)
_ALIASES = {"airflow": airflow.AIRFLOW_NAMES}


class UnknownService(ValueError):
    """A service was named that does not exist."""


def services(layout: Layout) -> list[Service]:
    """Return every service of the stack, servers first."""
    artifacts = located(layout.cache)
    servers = [
        kafka.kafka_service(layout, artifacts.kafka),
        registry.registry_service(layout, artifacts.registry),
        *(mongodb.mongodb_service(layout) for _ in range(not layout.mongodb)),
        mlflow.mlflow_service(layout),
    ]
    return [
        *servers,
        *airflow.airflow_services(layout),
        *(_ours(layout, name) for name in SERVICES if _has(layout, name)),
    ]


def chosen_services(names: str, without: str = "") -> set[str]:
    """Return the names of `a,b,c` (or all when empty) less those of `without`. Raises UnknownService."""
    wanted, left_out = _split(names), _split(without)
    unknown = sorted((wanted | left_out) - set(SERVICE_NAMES))
    if unknown:
        raise UnknownService(f"there is no service {', '.join(unknown)}; there are {', '.join(SERVICE_NAMES)}")
    return (wanted or set(SERVICE_NAMES)) - left_out


def _split(names: str) -> set[str]:
    given = [name.strip() for name in names.split(",") if name.strip()]
    return {each for name in given for each in _ALIASES.get(name, (name,))}


def _has(layout: Layout, name: str) -> bool:
    return layout.replay or name != "exchange"


def _ours(layout: Layout, name: str) -> Service:
    return Service(
        name=name,
        group="services",
        command=(sys.executable, "-m", _MODULES[name]),
        environment={"FORETICK_OPS_PORT": str(layout.port(name))},
        needs=_NEEDS[name],
        answers=health.http_probe(layout.url(name, "/health/live")),
        ports=(name,),
        url=layout.url(name),
        prepare=partial(prepare_log, layout) if "kafka" in _NEEDS[name] else nothing,
    )
