"""The registry's content as a whole, by Apicurio's own export; `streaming.restoring` brings it in again."""

import urllib.request
from urllib.parse import quote

from stack.layout import Layout
from stack.run.backup.manifest import SchemaIds
from stack.services.http import get_json

_SECONDS = 60.0


def export_registry(layout: Layout) -> bytes:
    """Return everything in the registry as a ZIP file. Raises OSError."""
    url = layout.url("registry", "/apis/registry/v3/admin/export?forBrowser=false")
    with urllib.request.urlopen(url, timeout=_SECONDS) as response:
        data: bytes = response.read()
    return data


def schemas_of(layout: Layout) -> SchemaIds:
    """Return the id of every schema by subject and version. Raises OSError."""
    base = layout.url("registry", "/apis/ccompat/v7/subjects")

    def numbers(subject: str) -> dict[int, int]:
        url = f"{base}/{quote(subject, safe='')}/versions"
        return {version: int(get_json(f"{url}/{version}")["id"]) for version in get_json(url)}

    return {subject: numbers(subject) for subject in sorted(get_json(base))}
