"""Which settings each process reads, and so which secrets it is given."""

import pkgutil
from functools import cache

from pydantic_settings import BaseSettings

from streaming.secretfiles import secret_fields

_COMMANDS = (
    "producers.settings:ProducerSettings",
    "projections.settings:ProjectionSettings",
    "forecasting.settings:ForecastingSettings",
)
_READS = {
    "exchange": ("producers.settings:ExchangeSettings",),
    "producers": ("producers.settings:ProducerSettings",),
    "projections": ("projections.settings:ProjectionSettings",),
    "forecasting": ("forecasting.settings:ServeSettings",),
    "scoring": ("forecasting.settings:ScoreSettings",),
    "gateway": ("gateway.settings:GatewaySettings",),
    "airflow-scheduler": _COMMANDS,  # its tasks are `foretick` commands; the other three run none
}


def settings_of(process: str) -> tuple[type[BaseSettings], ...]:
    """Return the settings that a process reads; none for others' servers. Imports the parts that have them."""
    return tuple(pkgutil.resolve_name(name) for name in _READS.get(process, ()))


def secrets_of(*settings: type[BaseSettings]) -> set[str]:
    """Return the variables of these settings that hold secrets."""
    return {f"FORETICK_{name.upper()}" for each in settings for name in secret_fields(each)}


@cache
def every_secret() -> frozenset[str]:
    """Return the variables of all settings that hold secrets."""
    return frozenset(secret for process in _READS for secret in secrets_of(*settings_of(process)))


def withheld(process: str) -> list[str]:
    """Return the variables with secrets of others, which a process is not given."""
    return sorted(every_secret() - secrets_of(*settings_of(process)))
