"""Files that are made from the contracts and committed: written on demand, and checked to be up to date."""

from collections.abc import Callable, Mapping
from pathlib import Path

from contracts.typescript import declarations
from gateway.asyncapi import text as asyncapi

GENERATED: Mapping[str, Callable[[], str]] = {
    "web/src/app/core/events.ts": declarations,
    "docs/asyncapi.json": asyncapi,
}


def write(project: Path) -> list[Path]:
    """Write each file that is not as it should be; return those written."""
    stale = _stale(project)
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
    return list(stale)


def outdated(project: Path) -> list[str]:
    """Say which files are not what the contracts make of them."""
    return [
        f"{path.relative_to(project)} is not what the schemas and the table of topics make of it: "
        "run `foretick contracts generate` and commit it"
        for path in _stale(project)
    ]


def _stale(project: Path) -> dict[Path, str]:
    """Return the files whose text differs; a folder that is not there (an image without sources) holds none."""
    texts = {project / name: make() for name, make in GENERATED.items() if (project / name).parent.is_dir()}
    return {path: text for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text}
