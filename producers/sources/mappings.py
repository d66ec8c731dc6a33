"""How another vendor's JSON reads as bars: a mapping that a user writes in YAML, checked before it is used.

    url: https://api.example.com/v1/{symbol}/prices     # {symbol} {interval} {since} {since_ms} {now} {now_ms} {key}
    params: {resolution: "{interval}", from: "{since}"}
    headers: {Authorization: "Bearer {key}"}
    intervals: {P1D: day, PT1H: hour}                   # our interval -> the vendor's word
    items: data.bars                                    # dotted path to the list; of an object, its entries
    items_optional: false                               # true: an answer without them means that there are none
    fields: {time: t, open: o, high: h, low: l, close: c, volume: v}   # and vwap: vw, trades: n, if it has them
    time: {format: epoch_ms, stamps: open, zone: America/New_York}
    currency: USD
    decimal: "."                                        # or ",": of numbers in quotes that do not show it
    error: error.message                                # where a 200 may hold an error
    next: next_url                                      # where the next page's address stands
    splits: {items: splits, fields: {date: ex, numerator: to, denominator: from}}
    dividends: {items: dividends, fields: {date: ex, amount: cash}}    # and currency: cur, where it has its own

A path is names and list positions joined by dots.  `$key` names the entry's own key where `items` is an object.
Prices must be raw: what a vendor adjusts cannot be told from a correction.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from contracts.files.dates import turnable
from contracts.files.numbers import DecimalMark
from producers.sources.base import VendorDown, VendorRefused

KEY = "$key"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BarFields(_Strict):
    """Paths inside one bar."""

    time: str
    open: str
    high: str
    low: str
    close: str
    volume: str
    vwap: str | None = None
    trades: str | None = None


class SplitFields(_Strict):
    """Paths inside one split: `ratio`, or `numerator` and `denominator` (2 and 1 for two new shares for one)."""

    date: str
    ratio: str | None = None
    numerator: str | None = None
    denominator: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "SplitFields":
        if bool(self.ratio) == bool(self.numerator and self.denominator):
            raise ValueError("give either ratio, or numerator and denominator")
        return self


class DividendFields(_Strict):
    """Paths inside one dividend: cash for one share, raw, in its own currency where the vendor names one."""

    date: str
    amount: str
    currency: str | None = None


class SplitsMapping(_Strict):
    """Where the splits stand in the answer."""

    items: str
    fields: SplitFields


class DividendsMapping(_Strict):
    """Where the dividends stand in the answer."""

    items: str
    fields: DividendFields


class TimeField(_Strict):
    """How a bar's time is written: `epoch_s`, `epoch_ms`, `iso`, or a strptime format.

    `zone` is where a time without an offset is read, and whose date names a daily bar's session.
    """

    format: str = "iso"
    stamps: Literal["open", "close"] = "open"
    zone: str = "America/New_York"

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except Exception as error:  # zoneinfo raises five kinds for a bad name
            raise ValueError(f"there is no time zone {name!r}") from error
        return name

    def read(self, value: object, interval: str) -> date | datetime:
        """Return a session's date for a daily bar, else an aware moment.

        Raises:
            ValueError: the value is not written so.
        """
        moment = self._moment(value)
        turnable(moment)
        if interval != "P1D":
            return moment
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def _moment(self, value: object) -> datetime:
        zone = ZoneInfo(self.zone)
        if self.format in ("epoch_s", "epoch_ms"):
            if not isinstance(value, int | Decimal | str):
                raise ValueError(f"time {value!r} is no number")
            seconds = float(value) / (1000 if self.format == "epoch_ms" else 1)
            try:
                return datetime.fromtimestamp(seconds, UTC)
            except (OverflowError, OSError) as error:
                raise ValueError(f"time {value!r} is out of range") from error
        text = str(value)
        moment = datetime.fromisoformat(text) if self.format == "iso" else datetime.strptime(text, self.format)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)


class Mapping(_Strict):
    """The whole mapping; see the module's beginning."""

    url: str
    params: dict[str, str] = {}
    headers: dict[str, str] = {}
    intervals: dict[str, str] = Field(default={"P1D": "P1D"}, min_length=1)
    items: str
    items_optional: bool = Field(False, description="An answer without `items` means no bars, not nonsense.")
    fields: BarFields
    time: TimeField = TimeField()
    decimal: DecimalMark | None = Field(
        None, description="Before the fraction of numbers in quotes; null: as they show."
    )
    currency: str = "USD"
    exchange: str | None = Field(None, description="ISO 10383 MIC of all its symbols.")
    error: str | None = None
    next: str | None = None
    splits: SplitsMapping | None = None
    dividends: DividendsMapping | None = None


def load_mapping(file: Path) -> Mapping:
    """Read and check a mapping.

    Raises:
        VendorRefused: the file is missing or wrong; the text says where.
    """
    try:
        return Mapping.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise VendorRefused(f"the mapping {file} cannot be read: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}" for item in error.errors())
        raise VendorRefused(f"the mapping {file} is wrong: {problems}") from error


def find(document: Any, path: str) -> Any:
    """Return what stands at a dotted path; None where nothing does."""
    value = document
    for name in path.split("."):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def entries(document: Any, path: str) -> list[object]:
    """Return the entries of the list, or of the object, at a path; none where nothing stands there.

    Raises:
        VendorDown: something else stands there.
    """
    value = find(document, path)
    if isinstance(value, dict):
        value = [{KEY: key, **entry} if isinstance(entry, dict) else entry for key, entry in value.items()]
    if not isinstance(value, list | None):
        raise VendorDown(f"at {path} stands no list of objects but {str(value)[:80]!r}")
    return value or []
