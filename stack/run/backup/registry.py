"""The registry's content as a whole, by Apicurio's own export; `streaming.restoring` brings it in again."""

from urllib.parse import quote

from stack.layout import Layout
from stack.run.backup.manifest import SchemaIds
from stack.services.http import get, get_json

_SECONDS = 60.0


def export_registry(layout: Layout) -> bytes:
    """Return everything in the registry as a ZIP file. Raises ServiceAway."""
    return get(layout.url("registry", "/apis/registry/v3/admin/export?forBrowser=false"), timeout=_SECONDS).content


def schemas_of(layout: Layout) -> SchemaIds:
    """Return the id of every schema by subject and version. Raises ServiceAway."""
    base = layout.url("registry", "/apis/ccompat/v7/subjects")

    def numbers(subject: str) -> dict[int, int]:
        url = f"{base}/{quote(subject, safe='')}/versions"
        return {version: int(get_json(f"{url}/{version}")["id"]) for version in get_json(url)}

    return {subject: numbers(subject) for subject in sorted(get_json(base))}
