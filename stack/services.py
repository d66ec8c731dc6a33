"""The one table of everything that runs."""

import sys
from functools import partial

from stack import airflow, health, kafka, mlflow, mongodb, registry
from stack.artifacts import located
from stack.layout import Layout
from stack.preparing import prepare_log
from stack.service import Service, nothing

SERVERS = ("kafka", "registry", "mongodb", "mlflow")
SERVICES = ("exchange", "producers", "projections", "forecasting", "scoring", "gateway")
_MODULES = {
    "exchange": "producers.exchange",
    "producers": "producers.main",
    "projections": "projections.main",
    "forecasting": "forecasting.main",
    "scoring": "forecasting.scoring_main",
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
NAMES = (*SERVERS, *airflow.NAMES, *SERVICES)
_ALIASES = {"airflow": airflow.NAMES}


class UnknownService(ValueError):
    """A service was named that does not exist."""


def services(layout: Layout) -> list[Service]:
    """Return every service of the stack, servers first."""
    artifacts = located(layout.cache)
    servers = [
        kafka.service(layout, artifacts.kafka),
        registry.service(layout, artifacts.registry),
        *(mongodb.service(layout) for _ in range(not layout.mongodb)),
        mlflow.service(layout),
    ]
    return [*servers, *airflow.services(layout), *(_ours(layout, name) for name in SERVICES if _has(layout, name))]


def chosen(names: str, without: str = "") -> set[str]:
    """Return the names of `a,b,c` (or all when empty) less those of `without`. Raises UnknownService."""
    wanted, left_out = _split(names), _split(without)
    unknown = sorted((wanted | left_out) - set(NAMES))
    if unknown:
        raise UnknownService(f"there is no service {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return (wanted or set(NAMES)) - left_out


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
        answers=health.http(layout.url(name, "/health/live")),
        ports=(name,),
        url=layout.url(name),
        prepare=partial(prepare_log, layout) if "kafka" in _NEEDS[name] else nothing,
    )
