"""What unit tests share."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_they_come() -> None:
    """Begin each test with structlog's defaults: a command that ran in this process has set them for its own."""
    structlog.reset_defaults()
