"""The one manner of all model families.

A constructor only stores parameters; `fit` learns attributes that end in `_` and returns the estimator; `predict`
answers quantiles.  Parameters and what was learned are saved as JSON (and weights as plain arrays), never pickled.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from contracts.measures import LEVELS
from forecasting.data.calendars import as_closes, closes_after
from forecasting.data.windows import MAX_HORIZON, BadFrame, Floats, Windows, bar_counts, check_frame, last_windows
from forecasting.models.quantiles import between, check_levels
from forecasting.models.tasks import Task

__all__ = ["LEVELS", "BadFrame", "Epoch", "Estimator", "TooShort", "quantile_column"]

PARAMETERS_FILE = "parameters.json"
HORIZON = 5


class TooShort(BadFrame):
    """Symbols whose history is shorter than the family needs."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__("; ".join(f"{symbol}: {reason}" for symbol, reason in sorted(reasons.items())))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Epoch:
    """One turn of a training over its data; losses are mean pinball losses of scaled returns."""

    number: int
    of: int
    loss: float
    val_loss: float


OnEpoch = Callable[[Epoch], None]


@dataclass(eq=False)
class Estimator(ABC):
    """A family of models: quantiles of the cumulative log return of each of the next sessions.

    Attributes:
        exchange: ISO 10383 MIC whose sessions are forecast.
    """

    family: ClassVar[str]
    min_history: ClassVar[int]  # bars
    needs_network: ClassVar[bool] = False  # whether it needs TensorFlow

    exchange: str = "XNYS"

    @abstractmethod
    def fit(self, frame: pd.DataFrame, on_epoch: OnEpoch | None = None) -> Self:
        """Learn from a long frame, of which every row may be used.

        Raises:
            BadFrame: the frame is broken or holds too little to learn from.
        """

    @abstractmethod
    def log_quantiles(self, windows: Windows, horizon: int, levels: Floats) -> Floats:
        """Return quantiles of ln(price at step / last close) for each window: [n, horizon, levels], never crossing."""

    @abstractmethod
    def learned(self) -> dict[str, Any]:
        """Return what was learned, as JSON takes it (weights aside)."""

    @abstractmethod
    def restore(self, learned: dict[str, Any], folder: Path) -> None:
        """Take up what was learned."""

    def tasks(self, frame: pd.DataFrame) -> list[Task]:
        """Return what of `fit(frame)` stands alone and takes long: another process may do it beforehand."""
        return []

    def lacking(self, frame: pd.DataFrame) -> dict[str, str]:
        """Say which symbols of a frame this family cannot forecast yet, and why."""
        return {
            symbol: f"{self.family} needs {self.min_history} bars, there are {count}"
            for symbol, count in bar_counts(frame).items()
            if count < self.min_history
        }

    def predict(self, frame: pd.DataFrame, horizon: int = HORIZON, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Forecast each symbol of a long frame from its last bar.

        Returns:
            Long frame `unique_id, ds, step, mean, q<level>...`: `ds` the target session's close (tz-naive UTC),
            `mean` the point forecast (the median, best under absolute error), prices in the frame's own terms.

        Raises:
            BadFrame: the frame is broken; TooShort: a symbol's history is shorter than `min_history`.
            ValueError: a horizon or a level that no model answers.
        """
        wanted = check_levels(levels)
        if not 1 <= horizon <= MAX_HORIZON:
            raise ValueError(f"horizon must be between 1 and {MAX_HORIZON} sessions, not {horizon}")
        check_frame(frame)
        if short := self.lacking(frame):
            raise TooShort(short)
        windows = last_windows(frame)
        asked = np.union1d(wanted, [0.5])
        logs = self.log_quantiles(windows, horizon, asked)
        prices = windows.last[:, None, None] * np.exp(logs)
        targets = closes_after(as_closes(windows.origins, self.exchange), horizon, exchange=self.exchange)
        return pd.DataFrame(
            {
                "unique_id": np.repeat(windows.symbols, horizon),
                "ds": targets.ravel(),
                "step": np.tile(np.arange(1, horizon + 1), len(windows)),
                "mean": prices[:, :, np.searchsorted(asked, 0.5)].ravel(),
                **{quantile_column(level): prices[:, :, np.searchsorted(asked, level)].ravel() for level in wanted},
            }
        )

    def parameters(self) -> dict[str, Any]:
        """Return the constructor's parameters."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def curves(self) -> list[Epoch]:
        """Return the losses by epoch, where the family is trained in epochs."""
        return []

    def save(self, folder: Path) -> None:
        """Write parameters and what was learned to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {"family": self.family, "parameters": self.parameters(), "learned": self.learned()}
        (folder / PARAMETERS_FILE).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a saved estimator of this family.

        Raises:
            ValueError: the folder holds another family.
        """
        content = json.loads((folder / PARAMETERS_FILE).read_text(encoding="utf-8"))
        if content["family"] != cls.family:
            raise ValueError(f"{folder} holds a {content['family']} model, not {cls.family}")
        estimator = cls(**content["parameters"])
        estimator.restore(content["learned"], folder)
        return estimator


def quantile_column(level: float) -> str:
    """Name a quantile's column: `q0.025`."""
    return f"q{float(level):g}"


def read_levels(quantiles: Floats, levels: Floats) -> Floats:
    """Read other levels off quantiles at `LEVELS`: [..., len(LEVELS)] -> [..., L]."""
    return between(LEVELS, quantiles, levels)
