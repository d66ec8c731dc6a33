"""What one supervised process is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


class DidNotStart(Exception):
    """A service could not be prepared, or did not answer; the message says what to look at."""


def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Name a process: what runs it, what must answer before it, and how to tell that it serves."""

    name: str
    group: str  # servers | airflow | services; stopped as a whole, in the reverse order
    command: tuple[str, ...]
    answers: Callable[..., bool]  # within the seconds given; two, if none are
    ports: tuple[str, ...]
    folder: Path | None = None  # where it runs: paths of a home that its own format could not hold are relative to it
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    url: str = ""
    prepare: Callable[[], None] = nothing  # once before the start: folders, configuration, migrations
    patience: float = 300.0  # seconds it may take to answer: minutes on a machine that has much else to do
    stop_seconds: int = 20
    remedy: str = ""  # what else to do where it does not start
