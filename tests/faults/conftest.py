"""A stack that may be broken, a stream to break it under, and the dice."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projections.settings import ProjectionSettings
from stack.layout import Layout
from tests.faults.breaking import Servers
from tests.integration.processes import Service
from tests.integration.projecting import clear


@pytest.fixture(scope="session")
def servers(breakable: Layout) -> Layout:
    """Put servers that may be killed in the place of those that all other tests share."""
    return breakable


@pytest.fixture
def broken(servers: Layout) -> Iterator[Servers]:
    """Give the servers to a test; all of them answer before it and after it."""
    found = Servers(servers)
    found.await_all()
    yield found
    found.await_all()


@pytest.fixture
def settings(broken: Servers, isolated) -> Iterator[ProjectionSettings]:
    settings = ProjectionSettings(snapshot_seconds=0)
    yield settings
    broken.await_all()
    clear(settings)


@pytest.fixture
def service(settings, isolated, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Give a function that makes a projections process, not started; what still runs at the end is killed."""
    made: list[Service] = []

    def make(*command: str, **environment: str) -> Service:
        quiet = {"FORETICK_SNAPSHOT_SECONDS": "0"}
        log = tmp_path / f"projections-{len(made)}.log"
        made.append(Service(isolated.environment | quiet | environment, log, *command))
        return made[-1]

    yield make
    for each in made:
        each.kill()
        print(f"--- {each}", *each.log.splitlines()[-25:], sep="\n")


@pytest.fixture
def events() -> int:
    """Return how long a stream of reference is: `make test-faults` asks for 100,000 events."""
    return int(os.environ.get("FORETICK_FAULT_EVENTS", "5000"))


@pytest.fixture
def dice() -> random.Random:
    """Give random numbers; FORETICK_FAULT_SEED throws the same ones again."""
    seed = int(os.environ.get("FORETICK_FAULT_SEED", random.SystemRandom().randrange(10**9)))
    print(f"FORETICK_FAULT_SEED={seed}")
    return random.Random(seed)
