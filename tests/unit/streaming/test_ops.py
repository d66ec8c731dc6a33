"""The operations routes of a service."""

import httpx
import pytest

from streaming.ops import serve_ops
from streaming.settings import StreamSettings
from tests.ports import HOST, free_port
from tests.waiting import until


def test_operations_port_that_is_taken_ends_the_service_with_the_reason() -> None:
    port = free_port()
    settings = StreamSettings(ops_port=port)
    serve_ops(settings, lambda: {"service": "first"}, list)
    until(lambda: httpx.get(f"http://{HOST}:{port}/status", timeout=5).json() == {"service": "first"}, "it serves")
    with pytest.raises(OSError, match="in use"):
        serve_ops(settings, lambda: {"service": "second"}, list)
