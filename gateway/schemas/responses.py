"""What the gateway answers, for OpenAPI and the tests: field names are the events' own, times RFC 3339 UTC."""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.events import (
    BarClosed,
    CorporateActionAnnounced,
    Event,
    ForecastIssued,
    ForecastScored,
    ModelPromoted,
)
from contracts.parts import ForecastStep, Lineage, ModelRef, PinballLoss, SettlingBar
from contracts.samples import sample

ItemType = TypeVar("ItemType")
EventType = TypeVar("EventType", bound=Event)

Position = dict[str, dict[str, int]]  # topic -> partition -> next offset
Verdict = Literal["better", "undecided", "worse", "few", "baseline"]


def _sample(kind: type[EventType]) -> EventType:
    found = sample(kind)
    assert isinstance(found, kind)
    return found


_BAR = _sample(BarClosed)
_FORECAST = _sample(ForecastIssued)
_SCORE = _sample(ForecastScored)
_PROMOTION = _sample(ModelPromoted)


class Answer(BaseModel):
    """An answer; more fields may come with time."""

    model_config = ConfigDict(extra="allow")


class Page(Answer, Generic[ItemType]):
    """A list, the cursor of what follows it, and the position in the log that it includes."""

    items: list[ItemType]
    next: str | None = Field(description="Give it as `before` for the next page; null: this was the last.")
    position: Position = Field(
        description="Next offset by topic and partition: resume a socket from one less and nothing is missed.",
        examples=[{"stock-data": {"0": 1207, "1": 0}}],
    )


class Bar(Answer):
    """A closed bar; prices raw, unless `adjust=splits` put them in the newest bar's share terms."""

    symbol: str = Field(examples=[_BAR.symbol])
    exchange: str | None = Field(examples=[_BAR.exchange])
    interval: str = Field(examples=[_BAR.interval])
    opened_at: datetime = Field(examples=[_BAR.opened_at])
    closed_at: datetime = Field(examples=[_BAR.closed_at])
    open: float = Field(examples=[_BAR.open])
    high: float = Field(examples=[_BAR.high])
    low: float = Field(examples=[_BAR.low])
    close: float = Field(examples=[_BAR.close])
    volume: float = Field(examples=[_BAR.volume])
    currency: str = Field(examples=[_BAR.currency])
    source: str = Field(examples=[_BAR.source])
    revision: int = Field(examples=[_BAR.revision])
    recorded_at: datetime = Field(examples=[_BAR.recorded_at])
    vwap: float | None = Field(description="Null where the source does not give it.", examples=[_BAR.vwap])
    trades: int | None = Field(description="Null where the source does not give it.", examples=[_BAR.trades])


class SymbolSummary(Answer):
    """What there is of a symbol."""

    symbol: str = Field(examples=[_BAR.symbol])
    exchange: str | None = Field(None, examples=[_BAR.exchange])
    currency: str | None = Field(None, examples=[_BAR.currency])
    interval: str | None = Field(None, examples=[_BAR.interval])
    first_closed_at: datetime | None = None
    last_closed_at: datetime | None = None
    last_recorded_at: datetime | None = None
    last_close: float | None = Field(None, examples=[_BAR.close])
    bars: int = Field(0, examples=[3270])
    revisions: int = Field(0, examples=[0])
    last_forecast: dict[str, Any] | None = Field(None, description="The champion's newest: id, origin, model.")


class Score(Answer):
    """How one step came out; `scale` is the scaled error's denominator."""

    target_at: datetime
    bar: SettlingBar
    actual: float = Field(examples=[_SCORE.actual])
    absolute_error: float = Field(examples=[_SCORE.absolute_error])
    squared_error: float
    pinball: list[PinballLoss]
    inside_80: bool
    inside_95: bool
    naive_absolute_error: float = Field(examples=[_SCORE.naive_absolute_error])
    scale: float | None
    recorded_at: datetime


class Forecast(Answer):
    """A forecast as it was issued, with its scores so far."""

    forecast_id: str = Field(examples=[_FORECAST.forecast_id])
    symbol: str = Field(examples=[_FORECAST.symbol])
    interval: str = Field(examples=[_FORECAST.interval])
    origin: datetime = Field(examples=[_FORECAST.origin])
    issued_at: datetime = Field(examples=[_FORECAST.issued_at])
    model: ModelRef
    steps: list[ForecastStep]
    price_basis: str = Field(examples=[_FORECAST.price_basis])
    lineage: Lineage
    trained_until: datetime | None = Field(
        description="Close of the last bar that the version's training saw; null where not known.",
        examples=[_FORECAST.trained_until],
    )
    scores: dict[str, Score] = Field(description="By step, as far as it is settled.")


class Actions(Answer):
    """A symbol's splits and dividends, by ex-date."""

    items: list[CorporateActionAnnounced]
    position: Position


class Promotions(Answer):
    """Every decision on an alias, newest first: `outcome` MOVED (or null) or KEPT."""

    items: list[ModelPromoted]
    position: Position


class Model(Answer):
    """Where an alias of the registered model points, since when and why."""

    alias: str = Field(examples=[_PROMOTION.alias])
    model_name: str = Field(examples=[_PROMOTION.model_name])
    version: str = Field(examples=[_PROMOTION.version])
    family: str = Field(examples=[_PROMOTION.family])
    run_id: str = Field(examples=[_PROMOTION.run_id])
    metrics: dict[str, Any] = Field(description="Hold-out metrics of this version.")
    decided_at: datetime = Field(examples=[_PROMOTION.decided_at])
    reason: str = Field(examples=[_PROMOTION.reason])


class Models(Answer):
    """The newest decision of each alias."""

    items: list[Model]


class Rank(Answer):
    """How a version does live. Skill is 1 - its error / the random walk's of the same forecasts: above 0 beats it."""

    family: str = Field(examples=["arima"])
    version: str = Field(description="Of the random walk, which is one line, the newest.", examples=["4"])
    step: int = Field(examples=[1])
    n: int = Field(
        description="Settled forecasts from origins that the version's training did not see.", examples=[250]
    )
    sessions: int = Field(description="How many sessions those are of.", examples=[50])
    paired_sessions: int = Field(
        description="Of those, how many the random walk's forecast is settled of, too.", examples=[50]
    )
    mase: float | None = Field(examples=[1.02])
    scrps: float | None = Field(examples=[0.011])
    coverage_80: float | None = Field(examples=[0.81])
    coverage_95: float | None = Field(examples=[0.948])
    skill: float | None = Field(description="Of the centre: by |errors|.", examples=[-0.004])
    skill_low: float | None = Field(
        description="Its 95 % confidence interval, a session being one observation; null below 30 of them.",
        examples=[-0.012],
    )
    skill_high: float | None = Field(examples=[0.004])
    crps_skill: float | None = Field(
        description="Of the whole distribution: by pinball losses, on paired sessions.", examples=[0.014]
    )
    crps_skill_low: float | None = Field(examples=[0.004])
    crps_skill_high: float | None = Field(examples=[0.024])
    verdict: Verdict = Field(
        description="Whether its skill (of the distribution where known) is beyond noise; few: below 30 sessions.",
        examples=["better"],
    )


class Leaderboard(Answer):
    """All versions, by step and then by what is beyond noise: better, undecided, worse, too few sessions to tell."""

    items: list[Rank]
    position: Position


class LineageOf(Answer):
    """What a forecast was made from: events, model, the decision and the data behind the model, and its scores."""

    forecast_id: str
    symbol: str
    interval: str
    origin: datetime
    issued_at: datetime
    model: ModelRef
    lineage: Lineage
    scores: dict[str, Score]
    promotion: ModelPromoted | None = Field(None, description="The decision that put the version in its role.")
    promotions: list[ModelPromoted] = Field(description="All decisions on aliases of this version, newest first.")


class PredictedStep(Answer):
    """One future session; quantiles by level."""

    step: int = Field(examples=[1])
    target_at: datetime = Field(examples=["2012-01-04T21:00:00Z"])
    mean: float = Field(examples=[411.3])
    quantiles: dict[str, float] = Field(examples=[{"0.025": 396.1, "0.5": 411.3, "0.975": 427.8}])


class ModelName(Answer):
    """Which model answered."""

    name: str = Field(examples=["stock-forecaster"])
    version: str = Field(examples=["4"])
    family: str = Field(examples=["arima"])


class Prediction(Answer):
    """A forecast made on request; it is not an event and is kept nowhere."""

    model: ModelName
    symbol: str | None = Field(None, examples=["AAPL"])
    origin: datetime = Field(examples=["2012-01-03T21:00:00Z"])
    steps: list[PredictedStep]
    warnings: list[str] = Field(description="What the forecast should not be read without; mostly nothing.")
    input_sha256: str = Field(description="Hash of the input; equal to a forecast's `lineage.input_sha256` if it is.")


class OwnBar(Answer):
    """A bar of the caller's own."""

    closed_at: str = Field(description="A date, or a moment in UTC, RFC 3339.", examples=["2012-01-03"])
    open: float
    high: float
    low: float
    close: float
    volume: float


class OwnBars(Answer):
    """What a CSV of the caller's own says, oldest first."""

    bars: list[OwnBar]
    whole: bool = Field(description="It has open, high and low, not closes alone.")
    faults: list[str] = Field(description="What is wrong with it, in words; mostly nothing.")


class CallerInfo(Answer):
    """As whom the gateway knows a caller."""

    name: str = Field(description="Of the token, or the JWT's subject, or an address.", examples=["alice"])
    kind: Literal["address", "token", "jwt"]
    scopes: list[str] = Field(examples=[["predict", "read"]])
    until: datetime | None = Field(None, description="When the token ends; null: never, or not by itself.")
    session: bool = Field(description="The caller is a browser that has signed in, and can sign out.")


class Ticket(Answer):
    """What opens one WebSocket."""

    ticket: str = Field(examples=["u2ZbXo5lmtvVSYwMNyDtxRc1DBqiSXQJ"])
    expires_at: datetime = Field(examples=["2012-01-03T21:00:30Z"])


class Health(Answer):
    """Whether the gateway can do its work, and if not, why."""

    status: str = Field(examples=["ready"])
    reasons: list[str] = Field(default_factory=list)
