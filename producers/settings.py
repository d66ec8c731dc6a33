"""Settings of the producers, and of the replay exchange."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from contracts.files.settings import CsvSettings
from contracts.rules import symbol_fault
from producers.sources.alphavantage import ALPHAVANTAGE_URL
from producers.sources.yahoo import YAHOO_URL
from streaming.outward import clear_text
from streaming.settings import ServerSettings, StreamSettings


class ProducerSettings(StreamSettings, CsvSettings):
    """What is fetched, from whom, and how often."""

    home: Path = Field(Path(".foretick"), description="Folder of everything local.")
    source: Literal["yahoo", "alphavantage", "rest", "csv"] = Field("yahoo", description="Where bars come from.")
    symbols: Annotated[tuple[str, ...], NoDecode] = Field(
        ("AAPL", "FB", "GOOG", "IBM", "MSFT"), description="Symbols as the source names them, comma separated."
    )
    interval: Literal["P1D", "PT1H", "PT1M"] = Field("P1D", description="Length of a bar, ISO 8601.")
    calendar: str = Field("XNYS", description="Calendar (exchange_calendars) of bars whose exchange is not told.")
    calendars: dict[str, str] = Field(
        {},
        description='Calendars of exchanges that are not known here, by the vendor\'s name, as JSON: {"MUN": "XFRA"}.',
    )

    poll_seconds: float = Field(1.0, gt=0, description="Seconds from one look at the vendor to the next, per symbol.")
    overlap_sessions: int = Field(5, ge=0, description="Sessions before the last bar read again: late corrections.")
    full_read_seconds: float = Field(
        600.0, gt=0, description="Seconds from one reading of the whole history to the next: corrections of any age."
    )
    accept_readjustment: bool = Field(
        False,
        description="Publish a report that moves a history by one factor, or changes its unit; else it is held back.",
    )
    vendor_per_minute: int | None = Field(
        None, ge=0, description="Requests a minute; 0: no limit. Default: the source's own, none on this machine."
    )
    vendor_per_day: int | None = Field(None, ge=0, description="The same for a day.")
    vendor_timeout: float = Field(10.0, gt=0, description="Seconds that a vendor has to answer.")

    yahoo_url: str = Field(YAHOO_URL, description="Yahoo's chart API, or a replay exchange.")
    alphavantage_url: str = Field(ALPHAVANTAGE_URL, description="Alpha Vantage's address.")
    alphavantage_key: SecretStr | None = Field(None, description="Alpha Vantage's key.")
    alphavantage_full: bool = Field(True, description="The key may ask for whole histories (outputsize=full).")
    alphavantage_adjusted: bool = Field(False, description="The key may ask for splits and dividends (paid).")
    rest_mapping: Path | None = Field(None, description="YAML file that tells how a JSON API reads as bars.")
    rest_key: SecretStr | None = Field(None, description="That API's key: {key} in the mapping.")
    csv_path: Path | None = Field(None, description="CSV file, or folder of SYMBOL.csv.")
    csv_currency: str = Field("USD", description="Currency of CSV files that name none.")

    @field_validator("symbols", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            value = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
            if not value:
                raise ValueError("name at least one symbol")
        return value

    @field_validator("alphavantage_url")
    @classmethod
    def _encrypted(cls, value: str) -> str:
        if mend := clear_text(value):  # whatever the network
            raise ValueError(f"the key stands in the address: {mend}")
        return value

    @field_validator("symbols")
    @classmethod
    def _symbols(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if faults := [fault for symbol in value if (fault := symbol_fault(symbol))]:
            raise ValueError("; ".join(faults))
        return value


class ExchangeSettings(ServerSettings):
    """Where the replay exchange listens, and where its history becomes the present."""

    home: Path = Field(Path(".foretick"), description="Folder of everything local.")
    exchange_port: int = Field(8010, description="Port of the replay exchange.")
    exchange_faults: bool = Field(False, description="Offer `/faults`, by which the exchange misbehaves: for tests.")
    exchange_live_from: date = Field(date(2011, 1, 3), description="First session that is replayed live.")
    exchange_seconds_per_session: float | None = Field(
        None, gt=0, description="Seconds from one session to the next. Default: as it was before, at first 5."
    )
