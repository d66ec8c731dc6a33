"""The registry's content as a whole, by Apicurio's own export; `streaming.restoring` brings it in again."""

import urllib.request
from urllib.parse import quote

from stack.backup.manifest import Schemas
from stack.http import ask
from stack.layout import Layout

_SECONDS = 60.0


def exported(layout: Layout) -> bytes:
    """Return everything in the registry as a ZIP file. Raises OSError."""
    url = layout.url("registry", "/apis/registry/v3/admin/export?forBrowser=false")
    with urllib.request.urlopen(url, timeout=_SECONDS) as response:
        data: bytes = response.read()
    return data


def schemas(layout: Layout) -> Schemas:
    """Return the id of every schema by subject and version. Raises OSError."""
    base = layout.url("registry", "/apis/ccompat/v7/subjects")

    def numbers(subject: str) -> dict[int, int]:
        url = f"{base}/{quote(subject, safe='')}/versions"
        return {version: int(ask(f"{url}/{version}")["id"]) for version in ask(url)}

    return {subject: numbers(subject) for subject in sorted(ask(base))}
