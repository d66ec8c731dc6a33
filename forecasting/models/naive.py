"""The random walk: the price stays where it is; how far it may stray follows the volatility of its last bars."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting.data.windows import (
    MAX_HORIZON,
    MOST_WINDOWS,
    Floats,
    Windows,
    WindowSet,
    check_frame,
    usual_volatility,
)
from forecasting.models.base import Estimator, OnEpoch
from forecasting.models.quantiles import spread, spread_table
from forecasting.models.volatility import Har, per_session


@dataclass(eq=False)
class Naive(Estimator):
    """Random walk, its width the volatility to come times what past moves were in such units.

    Attributes:
        drift: whether the walk drifts, by the mean log return of the training set in units of the volatility to come:
            the same for all symbols, and next to nothing for one that hardly moves.
    """

    family: ClassVar[str] = "naive"
    min_history: ClassVar[int] = 2

    drift: bool = False

    def fit(self, frame: pd.DataFrame, on_epoch: OnEpoch | None = None) -> Self:
        check_frame(frame)
        windows, targets = WindowSet(frame, MAX_HORIZON).thinned(MOST_WINDOWS)
        self.har_ = Har.fit(windows, targets, usual_volatility(frame))
        scales = self.har_.scales(windows)
        self.drift_ = float((targets[:, 0] / per_session(scales)).mean()) if self.drift and len(targets) else 0.0
        self.spread_ = spread_table((targets - self._centre(scales)) / scales, MAX_HORIZON)
        return self

    def log_quantiles(self, windows: Windows, horizon: int, levels: Floats) -> Floats:
        widths, scales = spread(self.spread_[:horizon], levels), self.har_.scales(windows)
        return self._centre(scales)[:, :horizon, None] + scales[:, :horizon, None] * widths

    def _centre(self, scales: Floats) -> Floats:
        """Forecast cumulative log returns: [n, H] scales -> [n, H]."""
        return self.drift_ * per_session(scales)[:, None] * np.arange(1, scales.shape[1] + 1)

    def learned(self) -> dict[str, Any]:
        return {"volatility": self.har_.learned(), "drift": self.drift_, "spread": self.spread_.tolist()}

    def restore(self, learned: dict[str, Any], folder: Path) -> None:
        self.har_ = Har.restored(learned["volatility"])
        self.drift_ = float(learned["drift"])
        self.spread_ = np.array(learned["spread"])
