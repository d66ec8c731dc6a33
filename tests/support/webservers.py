"""A web server in a thread of the test's process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from streaming.serving import listen
from tests.support.ports import HOST
from tests.support.waiting import until


@contextmanager
def running(config: uvicorn.Config) -> Iterator[int]:
    """Run a server on a port that the system found free; yield the port."""
    listener = listen(HOST, 0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    until(lambda: server.started, "it serves")
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
