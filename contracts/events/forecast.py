"""The event of a forecast."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, ClassVar

from contracts.events.base import BrokenInvariant, Event
from contracts.parts import (
    ForecastStep,
    Lineage,
    ModelRef,
)


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
            if values != sorted(values):
                raise BrokenInvariant(f"quantiles of step {number} cross: {values}")

    @property
    def happened_at(self) -> datetime:
        return self.origin

    @property
    def identity(self) -> tuple[object, ...]:
        return (self.forecast_id,)
