"""Apicurio Registry, spoken to through its Confluent-compatible API."""

from pathlib import Path

from stack.layout import HOST, Layout
from stack.services import health, java
from stack.services.service import Service

REGISTRY_HEAP_MEGABYTES = 256


def registry_service(layout: Layout, folder: Path) -> Service:
    """Return the registry, over an H2 database file."""
    data = layout.data / "registry"
    properties = {
        "quarkus.http.host": HOST,
        "quarkus.http.port": layout.port("registry"),
        "quarkus.http.access-log.enabled": "false",  # a line for each request, for ever
        "quarkus.management.host": HOST,
        "quarkus.management.port": layout.port("registry-management"),
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "h2",
        "apicurio.datasource.url": "jdbc:h2:file:./registry",
        # Without it the default is NONE. Every subject gets a stricter level of its own when it is registered.
        "apicurio.rules.global.compatibility": "BACKWARD",
    }
    flags = tuple(f"-D{key}={value}" for key, value in properties.items())
    return Service(
        name="registry",
        group="servers",
        command=(
            java.java_command(),
            *java.java_options(REGISTRY_HEAP_MEGABYTES),
            *flags,
            "-jar",
            str(folder / "quarkus-run.jar"),
        ),
        folder=data,
        environment=java.ENVIRONMENT,
        answers=health.http_probe(f"http://{HOST}:{layout.port('registry-management')}/health/ready"),
        ports=("registry", "registry-management"),
        url=layout.url("registry", "/apis/ccompat/v7"),
        prepare=lambda: data.mkdir(parents=True, exist_ok=True),
    )
