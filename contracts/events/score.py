"""The event of a score: one step of a forecast against the bar that it spoke of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from contracts.events.base import Event
from contracts.parts import (
    PinballLoss,
    SettlingBar,
)


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
