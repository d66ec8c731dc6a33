"""The event of an alarm: what is watched live has left its band, or come back into it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from contracts.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDetected(Event):
    """A live measure of a version, or a symbol's returns, left its band or came back into it."""

    model_name: str
    measure: Literal["UNKNOWN", "COVERAGE_80", "COVERAGE_95", "SKILL", "RETURNS"]
    state: Literal["UNKNOWN", "RAISED", "CLEARED"]
    model_version: str | None = None
    family: str | None = None
    symbol: str | None = None
    interval: str
    value: float
    expected: float
    statistic: float
    sessions: int
    n: int
    from_session: datetime
    to_session: datetime
    reason: str
    recorded_at: datetime

    @property
    def key(self) -> str:
        return self.model_name

    @property
    def identity(self) -> tuple[object, ...]:
        return (*self.watched, self.state, self.to_session)

    @property
    def watched(self) -> tuple[object, ...]:
        """Return what is watched, whatever became of it."""
        return (self.model_name, self.interval, self.measure, self.model_version, self.symbol)
