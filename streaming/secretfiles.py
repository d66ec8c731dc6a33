"""Secrets may come from files, as Docker, Kubernetes and Vault's agent mount them."""

from pathlib import Path
from typing import Any

from pydantic import DirectoryPath, Field, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SecretsSettingsSource

_HASHES = {"tokens"}  # they may be printed, and yet are the gateway's alone


def secret_fields(settings: type[BaseSettings]) -> set[str]:
    """Return the names of the fields that hold a secret: mostly those that do not show when settings are printed."""
    fields = settings.model_fields.items()
    return {name for name, field in fields if not field.repr or "SecretStr" in str(field.annotation) or name in _HASHES}


class SecretSettings(BaseSettings):
    """Settings of which each may stand in a file that is named like its variable; the environment and `.env` win."""

    secrets_dir: DirectoryPath | None = Field(
        None, description="Folder of secrets, each a file that is named like its variable: FORETICK_MONGODB."
    )

    @field_validator("secrets_dir", mode="before")
    @classmethod
    def _no_folder(cls, value: object) -> object:
        return value or None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the files last, and take an empty secret for one that is not said."""
        prefix = settings_cls.model_config["env_prefix"]
        secrets = {f"{prefix}{name}".lower() for name in secret_fields(settings_cls)}
        for source in (env_settings, dotenv_settings):
            if isinstance(source, EnvSettingsSource):
                source.env_vars = {k: v for k, v in source.env_vars.items() if v or k not in secrets}
        return init_settings, env_settings, dotenv_settings, _Files(settings_cls)


class _Files(SecretsSettingsSource):
    """The folder that the other sources name; none where it is not there, which the field itself refuses."""

    def __call__(self) -> dict[str, Any]:
        named = self.current_state.get("secrets_dir")
        self.secrets_dir = named if named and Path(named).is_dir() else None
        return super().__call__()
