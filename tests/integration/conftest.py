"""What tests on real servers share: settings of projections with topics of their own, and a forecaster's desk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.settings import ProjectionSettings
from tests.conftest import Isolated
from tests.integration.projecting import clear
from tests.integration.serving import ClockServer, Desk


@pytest.fixture
def settings(isolated: Isolated) -> Iterator[ProjectionSettings]:
    settings = ProjectionSettings(snapshot_seconds=0)
    yield settings
    clear(settings)


@pytest.fixture
def desk(isolated: Isolated, tmp_path: Path) -> Iterator[Desk]:
    with ClockServer().running() as clock:
        desk = Desk(tmp_path, clock)
        yield desk
        desk.close()
