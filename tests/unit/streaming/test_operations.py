"""The operations routes of a service, and its log."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import pytest

from streaming.operations import serve_ops
from streaming.settings import StreamSettings
from tests.support.ports import HOST, free_port
from tests.support.waiting import until


def test_operations_port_that_is_taken_ends_the_service_with_the_reason() -> None:
    port = free_port()
    settings = StreamSettings(ops_port=port)
    serve_ops(settings, lambda: {"service": "first"}, list)
    until(lambda: httpx.get(f"http://{HOST}:{port}/status", timeout=5).json() == {"service": "first"}, "it serves")
    with pytest.raises(OSError, match="in use"):
        serve_ops(settings, lambda: {"service": "second"}, list)


SAYING = """
import structlog
from streaming.operations import configure_logging
configure_logging("exchange")
structlog.get_logger().warning("said", text='a\\n{"event": "forged"}\\r\\x1b[2J\\u2028\\u202e')
"""


def test_log_line_is_one_json_object_with_its_time_in_utc_whatever_it_tells() -> None:
    done = subprocess.run((sys.executable, "-c", SAYING), capture_output=True, text=True, timeout=60, check=True)
    (line,) = done.stderr.splitlines()
    assert line.isascii()
    assert line.isprintable()
    told = json.loads(line)
    assert (told["service"], told["level"], told["event"]) == ("exchange", "warning", "said")
    assert told["text"] == 'a\n{"event": "forged"}\r\x1b[2J\u2028\u202e'
    assert told["timestamp"].endswith("Z")
    assert abs(datetime.fromisoformat(told["timestamp"]) - datetime.now(UTC)).total_seconds() < 3600


WATCHING = """
import threading
from streaming.operations import configure_logging
configure_logging("train", supervised=False)
print([thread.name for thread in threading.enumerate() if thread.name == "clock"])
configure_logging("producers")
print([thread.name for thread in threading.enumerate() if thread.name == "clock"])
"""


def test_clock_that_is_set_back_ends_what_is_started_again_and_nothing_else() -> None:
    done = subprocess.run((sys.executable, "-c", WATCHING), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["[]", "['clock']"]


WARNING = """
import logging
from streaming.operations import configure_logging
configure_logging("gateway")
logging.getLogger("uvicorn.error").warning("Invalid HTTP request %s", "received\\n{}")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("a.library").exception("it failed")
"""


def test_warning_of_a_library_is_a_line_like_ours() -> None:
    done = subprocess.run((sys.executable, "-c", WARNING), capture_output=True, text=True, timeout=60, check=True)
    one, other = map(json.loads, done.stderr.splitlines())
    assert (one["service"], one["level"], one["event"]) == ("gateway", "warning", "Invalid HTTP request received\n{}")
    assert datetime.fromisoformat(one["timestamp"])
    assert other["level"] == "error"
    assert "ZeroDivisionError" in other["exception"]
