"""Files that are made from the code and committed: written on demand, and checked."""

from pathlib import Path

from pydantic_settings import BaseSettings
from typer.core import TyperGroup

from contracts.tools import typescript as events
from forecasting.settings import ForecastingSettings, ScoreSettings, ServeSettings
from gateway.app import create_app
from gateway.describe.asyncapi import asyncapi_text
from gateway.describe.typescript import gateway_modules
from gateway.settings import GatewaySettings
from producers.settings import ExchangeSettings, ProducerSettings
from projections.settings import ProjectionSettings
from stack.commands.reference import commands_page, settings_page
from stack.settings import StackSettings
from streaming.settings import StreamSettings

_API = "web/src/app/core/api"
_SETTINGS: dict[str, tuple[type[BaseSettings], ...]] = {
    "Every service": (StreamSettings,),
    "Producers": (ProducerSettings,),
    "The replay exchange": (ExchangeSettings,),
    "Projections": (ProjectionSettings,),
    "Training, serving, scoring": (ForecastingSettings, ServeSettings, ScoreSettings),
    "Gateway": (GatewaySettings,),
    "The local stack": (StackSettings,),
}


def generated_texts(app: TyperGroup) -> dict[str, str]:
    """Return each generated file by its path in the project; `app`: the `foretick` command."""
    return {
        **{f"{_API}/events/{name}.ts": text for name, text in events.event_modules().items()},
        **{
            f"{_API}/{name}.ts": text for name, text in gateway_modules(create_app(GatewaySettings()).openapi()).items()
        },
        "docs/reference/asyncapi.json": asyncapi_text(),
        "docs/reference/commands.md": commands_page(app),
        "docs/reference/settings.md": settings_page(_SETTINGS),
    }


def write_generated(project: Path, app: TyperGroup) -> list[Path]:
    """Write each file that is not as it should be; return those written."""
    stale = _stale(project, app)
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
    return list(stale)


def outdated_files(project: Path, app: TyperGroup) -> list[str]:
    """Say which files are not what the contracts make of them."""
    return [
        f"{path.relative_to(project)} is not what the code makes of it: run `foretick contracts generate` and commit it"
        for path in _stale(project, app)
    ]


def _stale(project: Path, app: TyperGroup) -> dict[Path, str]:
    """Return the files whose text differs; a folder that is not there (an image without sources) holds none."""
    made = {project / name: text for name, text in generated_texts(app).items() if (project / name).parent.is_dir()}
    return {path: text for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text}
