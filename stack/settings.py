"""The only place of the stack that reads the environment."""

import shutil
from dataclasses import replace
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from stack.layout import LARGEST_OFFSET, PROJECT, Layout
from streaming.secretfiles import SecretSettings

EMBEDDED = "embedded"  # FORETICK_MONGOD: no mongod, though there is one


class StackSettings(SecretSettings):
    """Say where this stack keeps its data and on which ports it listens."""

    model_config = SettingsConfigDict(env_prefix="FORETICK_", env_file=PROJECT / ".env", extra="ignore")

    home: Path = PROJECT / ".foretick"
    cache: Path | None = Field(None, description="Folder of downloads; default: the user's cache.")
    port_offset: int = Field(0, ge=0, le=LARGEST_OFFSET, description="Added to every port.")
    source: str = "yahoo"  # the producers' settings, which say whether the market is real
    yahoo_url: str = ""
    mongodb: SecretStr = SecretStr("")  # the projections' and the gateway's; here it says that none is to be started
    mongod: str = Field(
        "",
        description="The `mongod` to start; `embedded`: the server that comes with Foretick, though one is installed.",
    )
    xdg_cache_home: Path | None = Field(
        default=None, validation_alias="XDG_CACHE_HOME", description="The user's cache."
    )

    @field_validator("mongod")
    @classmethod
    def _exists(cls, named: str) -> str:
        if named not in ("", EMBEDDED) and not _installed(named):
            raise ValueError(f"there is no such program; {EMBEDDED!r} is the server that comes with Foretick")
        return named

    def layout(self) -> Layout:
        """Return the layout these settings describe, with absolute paths."""
        cache = self.cache or (self.xdg_cache_home or _caches(self.home)) / "foretick"
        layout = Layout(
            home=self.home.expanduser().absolute(),
            cache=cache.expanduser().absolute(),
            port_offset=self.port_offset,
        )
        elsewhere = self.mongodb.get_secret_value()
        replayed = self.source == "yahoo" and self.yahoo_url in ("", layout.url("exchange"))
        return replace(
            layout,
            replay=replayed,
            mongodb="" if elsewhere == layout.own_mongodb else elsewhere,
            mongod=None if self.mongod == EMBEDDED else _installed(self.mongod or "mongod"),
        )


def from_file(project: Path = PROJECT) -> dict[str, str]:
    """Return the settings of the project's `.env`, which commands in other folders (Airflow's tasks) do not find."""
    values = dotenv_values(project / ".env").items()
    return {name: value or "" for name, value in values if name.startswith("FORETICK_")}


def _caches(home: Path) -> Path:
    """Return the folder of caches; in this stack's home for a user that has none, as in many containers."""
    try:
        return Path.home() / ".cache"
    except RuntimeError:
        return home / "cache"


def _installed(program: str) -> Path | None:
    found = shutil.which(Path(program).expanduser())
    return Path(found).absolute() if found else None
