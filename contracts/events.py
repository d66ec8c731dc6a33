"""The typed events: one frozen class for each schema in `schemas/`, checked against it by a test.

Times are aware datetimes in UTC.  An event that breaks its invariants cannot be constructed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from itertools import pairwise
from math import isfinite
from typing import Any, ClassVar, Literal, Self

from contracts.ids import bar_id, stable_id
from contracts.parts import (
    Evaluation,
    ForecastStep,
    Lineage,
    ModelRef,
    PinballLoss,
    Refusal,
    SettlingBar,
    TrainingData,
    plain,
)
from contracts.rules import INFINITY, LONGS, bar_violations, positive


class BrokenInvariant(ValueError):
    """An event says something that cannot be true; the text names the field and the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share: a key that orders them, an identity, and their Avro record."""

    NESTED: ClassVar[Mapping[str, Any]] = {}

    @property
    def key(self) -> str:
        """Return the Kafka message key: events of one key keep their order."""
        return str(self.symbol)  # type: ignore[attr-defined]

    @property
    def event_id(self) -> str:
        """Return the deterministic identity (UUIDv5) of this fact."""
        return stable_id(type(self).__name__, *self.identity)

    @property
    def happened_at(self) -> datetime | None:
        """Return the moment of the market that this tells of: nobody can have written it before."""
        return None

    @property
    def identity(self) -> tuple[object, ...]:
        """Return what makes this event itself."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def to_record(self) -> dict[str, Any]:
        """Return the event as a plain record: dicts, lists, numbers, strings and aware datetimes."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build the event from its record.

        Raises:
            BrokenInvariant: the record breaks a rule of this event.
        """
        if not cls.NESTED:
            return cls(**record)
        values = dict(record)
        for name, build in cls.NESTED.items():
            values[name] = build(values[name])
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarClosed(Event):
    """One bar has closed, or a closed bar was corrected.  Prices are raw, in `currency`."""

    symbol: str
    exchange: str | None = None
    interval: str
    opened_at: datetime
    closed_at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    currency: str
    source: str
    revision: int
    recorded_at: datetime
    payload_sha256: str
    vwap: float | None = None
    trades: int | None = None

    def __post_init__(self) -> None:
        # One expression for the good case: this runs for every event read.
        low, high = self.low, self.high
        if (
            0 < low <= self.open <= high < INFINITY
            and low <= self.close <= high
            and 0 <= self.volume < INFINITY
            and self.opened_at < self.closed_at
            and self.revision >= 0
            and self.symbol
            and (self.vwap is None or 0 < self.vwap < INFINITY)
            and (self.trades is None or 0 <= self.trades < LONGS)
        ):
            return
        raise BrokenInvariant("; ".join(bar_violations(self)))

    @property
    def bar_id(self) -> str:
        """Return the bar's name whatever its revision."""
        return bar_id(self.symbol, self.interval, self.closed_at)

    @property
    def happened_at(self) -> datetime:
        return self.closed_at

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.symbol, self.interval, self.closed_at, self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorporateActionAnnounced(Event):
    """A split or a dividend.  `ratio`: new shares for one old; `amount`: cash for one share, raw."""

    symbol: str
    kind: Literal["UNKNOWN", "SPLIT", "DIVIDEND"]
    ex_date: date
    ratio: float | None = None
    amount: float | None = None
    currency: str | None = None
    source: str
    revision: int
    recorded_at: datetime

    def __post_init__(self) -> None:
        if self.kind == "SPLIT" and not positive(self.ratio):
            raise BrokenInvariant(f"a SPLIT needs a positive ratio, not {self.ratio}")
        if self.kind == "DIVIDEND" and not (positive(self.amount) and self.currency):
            raise BrokenInvariant(
                f"a DIVIDEND needs a positive amount and a currency, not {self.amount} {self.currency}"
            )

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.symbol, self.kind, self.ex_date, self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastIssued(Event):
    """One model version has forecast one symbol from one origin (`closed_at` of the last bar seen)."""

    NESTED: ClassVar[Mapping[str, Any]] = {
        "model": ModelRef.from_record,
        "steps": lambda steps: tuple(ForecastStep.from_record(step) for step in steps),
        "lineage": Lineage.from_record,
    }

    forecast_id: str
    symbol: str
    interval: str
    origin: datetime
    issued_at: datetime
    model: ModelRef
    steps: tuple[ForecastStep, ...]
    price_basis: str
    lineage: Lineage
    trained_until: datetime | None = None

    def __post_init__(self) -> None:
        before = self.origin
        for number, step in enumerate(self.steps, start=1):
            if step.step != number or step.target_at <= before:
                raise BrokenInvariant(f"step {step.step} at {step.target_at} does not follow in order")
            before = step.target_at
            values = [quantile.value for quantile in step.quantiles]
            if not all(map(isfinite, [step.mean, *values])):
                raise BrokenInvariant(f"step {number} of forecast {self.forecast_id} is not finite")
            if any(low > high for low, high in pairwise(values)):
                raise BrokenInvariant(f"quantiles of step {number} cross: {values}")

    @property
    def happened_at(self) -> datetime:
        return self.origin

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.forecast_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastScored(Event):
    """A step of a forecast was settled by the bar it spoke of.  Errors are in price units."""

    NESTED: ClassVar[Mapping[str, Any]] = {
        "bar": SettlingBar.from_record,
        "pinball": lambda losses: tuple(PinballLoss.from_record(loss) for loss in losses),
    }

    forecast_id: str
    symbol: str
    interval: str
    origin: datetime
    step: int
    target_at: datetime
    model_name: str
    model_version: str
    family: str
    role: str
    bar: SettlingBar
    actual: float
    absolute_error: float
    squared_error: float
    pinball: tuple[PinballLoss, ...]
    inside_80: bool
    inside_95: bool
    naive_absolute_error: float
    scale: float
    recorded_at: datetime
    trained_until: datetime | None = None
    naive_pinball: float | None = None

    @property
    def in_sample(self) -> bool:
        """Tell whether the version's training saw the origin, as far as that is known: then it proves nothing."""
        return self.trained_until is not None and self.origin <= self.trained_until

    @property
    def happened_at(self) -> datetime:
        return self.target_at

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.forecast_id, self.step, self.bar.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPromoted(Event):
    """A decision on an alias of the registered model: where it points now, and why.

    `outcome` is null in events older than it: those moved their alias.
    """

    NESTED: ClassVar[Mapping[str, Any]] = {
        "evaluation": Evaluation.from_record,
        "training": TrainingData.from_record,
        "refused": lambda refused: None if refused is None else tuple(map(Refusal.from_record, refused)),
        "schema_ids": lambda ids: None if ids is None else tuple(ids),
    }

    model_name: str
    alias: str
    version: str
    family: str
    run_id: str
    previous_version: str | None = None
    evaluation: Evaluation
    training: TrainingData
    decided_by: str
    reason: str
    decided_at: datetime
    outcome: Literal["UNKNOWN", "MOVED", "KEPT"] | None = None
    refused: tuple[Refusal, ...] | None = None
    schema_ids: tuple[int, ...] | None = None
    calendar: str | None = None
    code_version: str | None = None

    @property
    def key(self) -> str:
        return self.model_name

    @property
    def moved(self) -> bool:
        """Tell whether the alias points at another version than before."""
        return self.outcome in (None, "MOVED")

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.model_name, self.alias, self.version, self.decided_at)
