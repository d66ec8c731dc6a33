"""The embedded server that speaks MongoDB's protocol, in a process of its own."""

import sys
from pathlib import Path

from stack import health
from stack.layout import HOST, Layout
from stack.service import Service

CACHE_SIZE = "256M"


def service(layout: Layout) -> Service:
    """Return the document server."""
    data = layout.data / "mongodb"
    return Service(
        name="mongodb",
        group="servers",
        command=(
            str(Path(sys.executable).with_name("secantusd-py")),
            *("--host", HOST, "--port", str(layout.port("mongodb"))),
            *("--storage-path", str(data), "--standalone", "--cache-size", CACHE_SIZE, "--log-level", "WARNING"),
        ),
        answers=health.mongodb(layout.port("mongodb")),
        ports=("mongodb",),
        url=f"mongodb://{HOST}:{layout.port('mongodb')}",
        remedy=f"If its files are damaged, set them aside and start again: mv '{data}' '{data}.damaged'; foretick up. "
        "The read models are then made anew from the log; nothing is lost",
        prepare=lambda: data.mkdir(parents=True, exist_ok=True),
    )
