"""What a user may say of CSV files that do not show it themselves (`FORETICK_CSV_*`)."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.files.columns import Ways


class CsvSettings(BaseSettings):
    """How CSV files are written."""

    model_config = SettingsConfigDict(env_prefix="FORETICK_", env_file=".env", extra="ignore")

    csv_decimal: Literal[".", ","] | None = Field(
        None, description="What stands before the fraction in CSV files: . or , Default: as each column shows."
    )
    csv_date_format: str | None = Field(
        None, description="How CSV files write dates, as for strptime: %m/%d/%Y. Default: as the column shows."
    )
    csv_delimiter: str | None = Field(
        None, description="What stands between the cells of CSV files; tab for a tabulator. Default: as the file shows."
    )

    @property
    def csv_ways(self) -> Ways:
        """Return how files are written, as far as the settings say."""
        return Ways(decimal=self.csv_decimal, date_format=self.csv_date_format, delimiter=self.csv_delimiter)

    @field_validator("csv_decimal", "csv_date_format", "csv_delimiter", mode="before")
    @classmethod
    def _unset(cls, value: object) -> object:
        return value or None

    @field_validator("csv_delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        value = "\t" if value in ("tab", "\\t") else value
        if value is not None and len(value) != 1:
            raise ValueError("one character, or tab")
        return value

    @field_validator("csv_date_format")
    @classmethod
    def _strptime_format(cls, value: str | None) -> str | None:
        if value is not None and not all(any(f"%{each}" in value for each in part) for part in ("Yyxc", "mbBjxc")):
            raise ValueError("a format of strptime with year, month and day, such as %m/%d/%Y")
        return value
