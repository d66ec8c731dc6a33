"""A service answers when it speaks, not when the kernel accepts for it."""

import socket

import pytest

from stack.layout import HOST
from stack.services import health


@pytest.mark.parametrize("check", [health.kafka_probe, health.mongodb_probe])
def test_server_that_accepts_and_stands_still_does_not_answer(check):
    with socket.create_server((HOST, 0)) as silent:
        assert not check(silent.getsockname()[1])(0.2)
