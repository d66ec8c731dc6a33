"""Files that are made from the contracts and the gateway's routes and committed: written on demand, and checked."""

from pathlib import Path

from contracts.tools import typescript as events
from gateway.app import create_app
from gateway.describe.asyncapi import asyncapi_text
from gateway.describe.typescript import gateway_modules
from gateway.settings import GatewaySettings

_CORE = "web/src/app/core"


def generated_texts() -> dict[str, str]:
    """Return each generated file by its path in the project."""
    return {
        **{f"{_CORE}/events/{name}.ts": text for name, text in events.event_modules().items()},
        **{
            f"{_CORE}/{name}.ts": text
            for name, text in gateway_modules(create_app(GatewaySettings()).openapi()).items()
        },
        "docs/asyncapi.json": asyncapi_text(),
    }


def write_generated(project: Path) -> list[Path]:
    """Write each file that is not as it should be; return those written."""
    stale = _stale(project)
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
    return list(stale)


def outdated_files(project: Path) -> list[str]:
    """Say which files are not what the contracts make of them."""
    return [
        f"{path.relative_to(project)} is not what the schemas, the topics and the routes make of it: "
        "run `foretick contracts generate` and commit it"
        for path in _stale(project)
    ]


def _stale(project: Path) -> dict[Path, str]:
    """Return the files whose text differs; a folder that is not there (an image without sources) holds none."""
    made = {project / name: text for name, text in generated_texts().items() if (project / name).parent.is_dir()}
    return {path: text for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text}
