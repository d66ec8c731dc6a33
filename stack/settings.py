"""The only place of the stack that reads the environment."""

from dataclasses import replace
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from stack.layout import LARGEST_OFFSET, PROJECT, Layout


class StackSettings(BaseSettings):
    """Say where this stack keeps its data and on which ports it listens."""

    model_config = SettingsConfigDict(env_prefix="FORETICK_", env_file=PROJECT / ".env", extra="ignore")

    home: Path = PROJECT / ".foretick"
    cache: Path | None = None
    port_offset: int = Field(default=0, ge=0, le=LARGEST_OFFSET)
    source: str = "yahoo"  # the producers' settings, which say whether the market is real
    yahoo_url: str = ""
    xdg_cache_home: Path | None = Field(default=None, validation_alias="XDG_CACHE_HOME")

    def layout(self) -> Layout:
        """Return the layout these settings describe, with absolute paths."""
        cache = self.cache or (self.xdg_cache_home or Path.home() / ".cache") / "foretick"
        layout = Layout(
            home=self.home.expanduser().absolute(),
            cache=cache.expanduser().absolute(),
            port_offset=self.port_offset,
        )
        replayed = self.source == "yahoo" and self.yahoo_url in ("", layout.url("exchange"))
        return replace(layout, replay=replayed)
