"""Settings that cannot be right: told by name, in words, before anything starts."""

import re
from collections.abc import Iterable, Iterator

from pydantic import ValidationError
from pydantic_settings import SettingsError

from stack.services.secrecy import settings_of
from stack.services.service import Service

_UNSHOWN = {"kafka_options", "tokens"}  # a fault's own value may be a secret


def settings_faults(error: ValidationError | SettingsError) -> list[str]:
    """Return a line for each setting that is wrong: its name, what is wrong, what it is."""
    if isinstance(error, SettingsError):  # names the field only in its text
        field = re.search(r'"(\w+)"', str(error))
        return [f"{_name((field[1],)) if field else ''}is to be JSON: {error.__cause__ or error}"]
    return [f"{_name(each['loc'])}{_said(each['msg'])}{_given(each)}" for each in error.errors(include_url=False)]


def wrong_settings(services: Iterable[Service]) -> list[str]:
    """Return a line for each setting that would keep one of these services from starting."""
    told: dict[str, None] = {}  # services share settings
    for service in services:
        told.update(dict.fromkeys(_wrong(service.name)))
    return list(told)


def _wrong(process: str) -> Iterator[str]:
    from producers.catalogue import source_from
    from producers.settings import ProducerSettings
    from producers.sources.base import VendorRefused

    try:
        for settings in settings_of(process):
            read = settings()
            if isinstance(read, ProducerSettings):
                source_from(read)
    except (ValidationError, SettingsError) as error:
        yield from settings_faults(error)
    except VendorRefused as error:
        yield f"Source of market data: {error}"


def _name(place: tuple[int | str, ...]) -> str:
    """Return a setting's environment variable; nothing where several settings do not go together."""
    return f"FORETICK_{'.'.join(map(str, place)).upper()}: " if place else ""


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


def _given(fault: object) -> str:
    given = fault.get("input") if isinstance(fault, dict) and _UNSHOWN.isdisjoint(fault["loc"][:1]) else None
    return f" (it is {given!r})" if isinstance(given, str | int | float) else ""
