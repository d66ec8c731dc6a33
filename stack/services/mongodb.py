"""The document server: the `mongod` that is installed, or the embedded server that speaks MongoDB's protocol."""

import sys
from pathlib import Path

from stack.layout import HOST, Layout
from stack.services import health
from stack.services.service import Service
from stack.settings import EMBEDDED

CACHE_MEGABYTES = 256


def mongodb_service(layout: Layout) -> Service:
    """Return the server.  Each has a folder of its own: neither can read the other's files."""
    data = layout.data / ("mongod" if layout.mongod else "mongodb")
    other = f" FORETICK_MONGOD={EMBEDDED} takes the server that comes with Foretick instead." if layout.mongod else ""
    return Service(
        name="mongodb",
        group="servers",
        command=_mongod(layout, layout.mongod) if layout.mongod else _embedded(layout),
        folder=data,
        answers=health.mongodb_probe(layout.port("mongodb")),
        ports=("mongodb",),
        url=layout.own_mongodb,
        remedy=f"If its files are damaged, set them aside and start again: mv '{data}' '{data}.damaged'; foretick up. "
        f"The read models are then made again from the log; nothing is lost.{other}",
        prepare=lambda: data.mkdir(parents=True, exist_ok=True),
    )


def _embedded(layout: Layout) -> tuple[str, ...]:
    return (
        str(Path(sys.executable).with_name("secantusd-py")),
        *("--host", HOST, "--port", str(layout.port("mongodb")), "--storage-path", ".", "--standalone"),
        *("--cache-size", f"{CACHE_MEGABYTES}M", "--log-level", "WARNING"),
    )


def _mongod(layout: Layout, program: Path) -> tuple[str, ...]:
    return (
        str(program),
        *("--dbpath", ".", "--bind_ip", HOST, "--port", str(layout.port("mongodb")), "--nounixsocket", "--quiet"),
        *("--wiredTigerCacheSizeGB", str(CACHE_MEGABYTES / 1024)),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    )
