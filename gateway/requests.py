"""What callers send: the request of a prediction, over HTTP or a socket."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_STEPS = 20

SYMBOL: dict[str, Any] = {"symbol": "AAPL", "interval": "P1D", "horizon": 5}
HISTORY: dict[str, Any] = {
    "history": [
        {"ds": "2012-01-03T21:00:00Z", "y": 411.23},
        {"ds": "2012-01-04T21:00:00Z", "y": 413.44},
        {"ds": "2012-01-05T21:00:00Z", "y": 418.03},
    ],
    "horizon": 5,
}

Symbol = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[^\s|\x00-\x1f]+$")]
Interval = Annotated[str, Field(pattern=r"^P(\d{1,4}[DW]|T\d{1,4}[HMS])$", description="ISO 8601 duration.")]


class Observation(BaseModel):
    """One point of a history."""

    model_config = ConfigDict(extra="ignore")

    ds: datetime = Field(description="When the session closed; a time without a zone is UTC, a bare date its session.")
    y: float | None = Field(description="The close; a positive finite number.")


class PredictRequest(BaseModel):
    """A prediction is asked for: of a symbol, or of a history of the caller's own."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [SYMBOL, HISTORY]})

    symbol: Symbol | None = Field(None, description="A symbol that the gateway knows; its bars are the history.")
    interval: Interval = Field("P1D", description="ISO 8601 duration of the bars.")
    horizon: int = Field(5, ge=1, le=MOST_STEPS, description="Sessions ahead.")
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
