"""Apache Kafka as one KRaft process."""

import base64
import os
import subprocess
import uuid
from pathlib import Path

from stack.layout import HOST, Layout
from stack.services import health, java
from stack.services.service import DidNotStart, Service

KAFKA_HEAP_MEGABYTES = 384
_DATA, _CONFIG = "kafka", "../run/kafka.properties"  # seen from the data folder
_LOG4J = Path(__file__).with_name("log4j2.xml")


def properties(layout: Layout) -> str:
    """Return server.properties: one broker that is its own controller, and a log that is never cut by time."""
    client, controller = layout.port("kafka"), layout.port("kafka-controller")
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listeners": f"PLAINTEXT://{HOST}:{client},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{client},CONTROLLER://{HOST}:{controller}",
        "log.dirs": _DATA,  # relative, for no path of a user's can do harm in this format
        # The log is the source of truth: nothing expires.
        "log.retention.ms": -1,
        "log.retention.bytes": -1,
        "offsets.retention.minutes": 60 * 24 * 365,
        "auto.create.topics.enable": "false",
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        # A broker that was killed may come back as soon as its old session is over.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "num.recovery.threads.per.data.dir": 2,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,  # the default takes a third of this heap
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def kafka_service(layout: Layout, jars: tuple[Path, ...]) -> Service:
    """Return the broker."""
    run = (
        java.java_command(),
        *java.java_options(KAFKA_HEAP_MEGABYTES),
        f"-Dlog4j2.configurationFile={_LOG4J.as_uri()}",
    )
    run += ("-cp", java.classpath(jars))
    return Service(
        name="kafka",
        group="servers",
        command=(*run, "kafka.Kafka", _CONFIG),
        folder=layout.data,
        environment=java.ENVIRONMENT,
        answers=health.kafka_probe(layout.port("kafka")),
        ports=("kafka", "kafka-controller"),
        url=f"{HOST}:{layout.port('kafka')}",
        prepare=lambda: _prepare(layout, run),
        stop_seconds=30,
    )


def _prepare(layout: Layout, run: tuple[str, ...]) -> None:
    """Write the configuration, and format the storage the first time."""
    layout.data.mkdir(parents=True, exist_ok=True)
    (layout.data / _CONFIG).write_text(properties(layout))
    formatted = layout.data / _DATA / "meta.properties"
    if formatted.exists():
        return
    cluster = base64.urlsafe_b64encode(b"\x10" + uuid.uuid4().bytes[1:]).rstrip(b"=").decode()
    command = (*run, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", _CONFIG, "--ignore-formatted")
    environment = os.environ | java.ENVIRONMENT
    done = subprocess.run(command, cwd=layout.data, env=environment, capture_output=True, text=True, check=False)
    layout.log("kafka").write_text(done.stdout + done.stderr)
    if done.returncode or not formatted.exists():
        raise DidNotStart(f"Kafka's storage could not be formatted (see {layout.log('kafka')})")
