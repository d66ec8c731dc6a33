"""Real servers for a benchmark: Kafka, the registry and the MongoDB-speaking server, and a corner of them for one run.

By default a stack is started on free ports and removed afterwards. FORETICK_BENCH_SERVERS=OFFSET:HOME uses one that
runs already (`FORETICK_HOME=HOME FORETICK_PORT_OFFSET=OFFSET foretick up --detach --only kafka,registry,mongodb`).
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient
from pymongo import MongoClient

from contracts.topics import TOPICS
from projections.settings import ProjectionSettings
from stack.layout import PORTS, Layout
from stack.run.preflight import free
from stack.services.supervisor import Supervisor
from stack.settings import StackSettings
from streaming.admin import ensure_topics, register_schemas

_OFFSETS = range(100, 5700, 20)  # below the kernel's range for outgoing connections, even for MongoDB's port


@dataclass(frozen=True, slots=True)
class Servers:
    """A running stack, and the process of its document server."""

    layout: Layout
    mongodb: int

    @property
    def environment(self) -> dict[str, str]:
        """Return what the settings of every part read."""
        return self.layout.environment() | {"FORETICK_CLOCK_URL": "", "FORETICK_SNAPSHOT_SECONDS": "0"}


@contextmanager
def servers(*further: str) -> Iterator[Servers]:
    """Yield running servers, and further ones such as `mlflow`."""
    if given := os.environ.get("FORETICK_BENCH_SERVERS"):
        offset, _, home = given.partition(":")
        yield _known(_layout(Path(home), int(offset)))
        return
    layout = _layout(Path(tempfile.mkdtemp(prefix="foretick-bench-")), _free_offset())
    try:
        _foretick(layout, "up", "--detach", "--only", ",".join(("kafka", "registry", "mongodb", *further)))
        yield _known(layout)
    finally:
        _foretick(layout, "down")
        shutil.rmtree(layout.home)


@contextmanager
def corner(running: Servers) -> Iterator[ProjectionSettings]:
    """Yield settings with topics, subjects and a database of their own; this process and its children read them."""
    mark = f"b{uuid.uuid4().hex[:10]}"
    own = {"FORETICK_TOPIC_PREFIX": f"{mark}-", "FORETICK_MONGODB_DATABASE": mark}
    before = {name: os.environ.get(name) for name in (*running.environment, *own)}
    os.environ.update(running.environment | own)
    settings = ProjectionSettings()
    ensure_topics(settings)
    register_schemas(settings)
    try:
        yield settings
    finally:
        drop_database(settings)
        admin = AdminClient({"bootstrap.servers": settings.kafka})
        names = [settings.physical(name) for topic in TOPICS for name in (topic.name, topic.dlq)]
        for future in admin.delete_topics(names).values():
            future.exception(60)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def drop_database(settings: ProjectionSettings) -> None:
    """Remove what was written: each round begins with nothing."""
    with MongoClient(settings.mongodb.get_secret_value()) as client:
        client.drop_database(settings.mongodb_database)


def _known(layout: Layout) -> Servers:
    return Servers(layout, Supervisor(layout).states()["mongodb"].pid)


def _layout(home: Path, offset: int) -> Layout:
    return Layout(home=home, cache=StackSettings().layout().cache, port_offset=offset)


def _free_offset() -> int:
    offsets = list(_OFFSETS)
    random.shuffle(offsets)
    for offset in offsets:
        moved = {port + offset for port in PORTS.values()}
        if not moved & set(PORTS.values()) and all(free(port) for port in moved):
            return offset
    raise RuntimeError("no free range of ports for the benchmark's servers")


def _foretick(layout: Layout, *arguments: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FORETICK_")}
    done = subprocess.run(
        (sys.executable, "-m", "stack", *arguments),
        cwd=layout.project,
        env=inherited | layout.environment() | {"FORETICK_CACHE": str(layout.cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"foretick {' '.join(arguments)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
