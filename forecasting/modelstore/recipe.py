"""What a training's outcome depends on beside its data and the code: family, parameters, how it was judged.  Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Recipe:
    """One family's parameters (its seed among them) and the hold-out that it is scored on."""

    family: str
    parameters: Mapping[str, Any]
    interval: str
    exchange_calendar: str
    horizon: int
    holdout_sessions: int

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a recipe.

        Raises:
            ValueError: the text is not a recipe.
        """
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise ValueError(f"not a recipe: {text[:80]!r}") from error

    def to_json(self) -> str:
        """Write the recipe on one line, always the same way."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def digest(self) -> str:
        """Return the first 16 hex digits of the recipe's SHA-256."""
        return sha256(self.to_json().encode()).hexdigest()[:16]
