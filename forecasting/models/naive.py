"""The random walk: the price stays where it is; how far it may stray follows the volatility of its last bars."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting.models.base import Estimator, OnEpoch
from forecasting.quantiles import Floats, spread, spread_table
from forecasting.volatility import Har
from forecasting.windows import MAX_HORIZON, Windows, check, training_windows, usual_volatility


@dataclass(eq=False)
class Naive(Estimator):
    """Random walk, its width the volatility to come times what past moves were in such units.

    Attributes:
        drift: whether the walk drifts by the mean log return of the training set, the same for all symbols.
    """

    family: ClassVar[str] = "naive"
    min_history: ClassVar[int] = 2

    drift: bool = False

    def fit(self, frame: pd.DataFrame, on_epoch: OnEpoch | None = None) -> Self:
        check(frame)
        windows, targets = training_windows(frame, MAX_HORIZON)
        self.har_ = Har.fit(windows, targets, usual_volatility(frame))
        self.drift_ = float(targets[:, 0].mean()) if self.drift and len(targets) else 0.0
        self.spread_ = spread_table((targets - self._centre(MAX_HORIZON)) / self.har_.scales(windows), MAX_HORIZON)
        return self

    def log_quantiles(self, windows: Windows, horizon: int, levels: Floats) -> Floats:
        widths = spread(self.spread_[:horizon], levels)
        return self._centre(horizon)[:, None] + self.har_.scales(windows, horizon)[:, :, None] * widths

    def _centre(self, horizon: int) -> Floats:
        return self.drift_ * np.arange(1, horizon + 1, dtype=np.float64)

    def learned(self) -> dict[str, Any]:
        return {"volatility": self.har_.learned(), "drift": self.drift_, "spread": self.spread_.tolist()}

    def restore(self, learned: dict[str, Any], folder: Path) -> None:
        self.har_ = Har.restored(learned["volatility"])
        self.drift_ = float(learned["drift"])
        self.spread_ = np.array(learned["spread"])
