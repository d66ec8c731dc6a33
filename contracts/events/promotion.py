"""The event of a decision on an alias."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from contracts.events.base import Event
from contracts.parts import (
    Evaluation,
    Refusal,
    TrainingData,
)


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
