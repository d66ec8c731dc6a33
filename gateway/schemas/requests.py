"""What callers send: the request of a prediction, over HTTP or a socket."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

from contracts.rules import SYMBOL_LENGTH, SYMBOL_PATTERN

MOST_STEPS = 20
DAILY = "P1D"
_EARLIEST, _LATEST = datetime(1678, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)  # whole years of nanoseconds

SYMBOL: dict[str, Any] = {"symbol": "AAPL", "horizon": 5, "model": "arima"}
HISTORY: dict[str, Any] = {
    "history": [
        {"ds": "2012-01-03T21:00:00Z", "y": 411.23},
        {"ds": "2012-01-04T21:00:00Z", "y": 413.44},
        {"ds": "2012-01-05T21:00:00Z", "y": 418.03},
    ],
    "horizon": 5,
}

Symbol = Annotated[str, Field(min_length=1, max_length=SYMBOL_LENGTH, pattern=SYMBOL_PATTERN)]
Interval = Annotated[str, Field(pattern=r"^P(\d{1,4}[DW]|T\d{1,4}[HMS])$", description="ISO 8601 duration.")]


def as_utc(moment: datetime) -> datetime:
    """Read a time without a zone as UTC, and turn others to it."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _written(given: Any) -> Any:
    """Let only text through that begins as a date does: a number would be read as seconds since 1970."""
    if isinstance(given, datetime) or (isinstance(given, str) and re.match(r"\d{4}-\d\d-\d\d", given)):
        return given
    raise ValueError("a time is text such as 2012-01-03T21:00:00Z, or a date such as 2012-01-03")


def _in_utc(moment: datetime) -> datetime:
    try:
        return as_utc(moment)
    except OverflowError:  # the first hours of year 1, the last of year 9999
        raise ValueError("in UTC, this time is not in the years 1 to 9999") from None


def _computable(moment: datetime) -> datetime:
    if _EARLIEST <= moment < _LATEST:
        return moment
    raise ValueError(f"a forecast is made from sessions of the years {_EARLIEST.year} to {_LATEST.year - 1} only")


def _daily(given: Any) -> Any:
    if given == DAILY:
        return given
    raise ValueError(f"only daily sessions ({DAILY}) are forecast: there is no model of another interval")


Moment = Annotated[datetime, BeforeValidator(_written), AfterValidator(_in_utc)]  # aware, in UTC


class Observation(BaseModel):
    """One point of a history."""

    model_config = ConfigDict(extra="ignore")

    ds: Annotated[Moment, AfterValidator(_computable)] = Field(
        description="When the session closed; a time without a zone is UTC, a bare date its session."
    )
    y: Annotated[float, Strict()] | None = Field(description="The close; a positive finite number.")


class PredictRequest(BaseModel):
    """A prediction is asked for: of a symbol, or of a history of the caller's own."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [SYMBOL, HISTORY]})

    symbol: Symbol | None = Field(None, description="A symbol that the gateway knows; its bars are the history.")
    interval: Annotated[Literal["P1D"], BeforeValidator(_daily)] = Field(
        "P1D", description="ISO 8601 duration of the bars; there are models of daily ones only."
    )
    horizon: Annotated[int, Strict()] = Field(5, ge=1, le=MOST_STEPS, description="Sessions ahead.")
    model: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="Which model at work to ask: an alias, a family or a version; the champion if none is named.",
    )
    history: list[Observation] | None = Field(
        None, max_length=20_000, description="Oldest first, split-adjusted; instead of a symbol."
    )

    @model_validator(mode="before")
    @classmethod
    def one_of_both(cls, data: Any) -> Any:
        """Refuse a request that names both a symbol and a history, or neither."""
        if isinstance(data, dict) and (data.get("symbol") is None) == (data.get("history") is None):
            raise ValueError('give either "symbol" or "history"')
        return data
