"""An ensemble: at each level the weighted mean of its members' quantiles (Vincent 1912, Genest 1992).

The mean of quantiles keeps the members' shape, where the mean of their probabilities would be wider than any of them.
Weights come from a backtest within the training set: members that know only the earlier sessions forecast the later
ones, and the weights are those with the lowest CRPS there, none of them below zero.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from contracts.measures import LEVELS
from forecasting.data.windows import CONTEXT, MAX_HORIZON, BadFrame, Floats, Windows, WindowSet, check_frame
from forecasting.models.base import Estimator, OnEpoch
from forecasting.models.families import family, parameters_of
from forecasting.models.tasks import Task

_MOST = 60_000  # forecasts that weights are found by
_ENOUGH = 50  # forecasts without which there is nothing to tell members apart by


@dataclass(eq=False)
class Ensemble(Estimator):
    """A weighted mean of other families.

    Attributes:
        members: families that it is made of.
        validation: share of the sessions, the last ones, on which the weights are found.
        overrides: parameters of members by family, as in `FORETICK_FAMILY_PARAMETERS`.
        seed, threads: of the members that have them.
    """

    family: ClassVar[str] = "ensemble"
    min_history: ClassVar[int] = CONTEXT
    needs_network: ClassVar[bool] = True

    members: list[str] = field(default_factory=lambda: ["naive", "arima", "lstm", "transformer"])
    validation: float = 0.15
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    seed: int = 20120103
    threads: int = 2

    def fit(self, frame: pd.DataFrame, on_epoch: OnEpoch | None = None) -> Self:
        check_frame(frame)
        self.weights_ = self._weights(frame)
        self.members_ = [self._member(name).fit(frame, on_epoch) for name in self.members]
        return self

    def tasks(self, frame: pd.DataFrame) -> list[Task]:
        return [
            task
            for some in (self._earlier(frame)[0], frame)
            for name in self.members
            for task in self._member(name).tasks(some)
        ]

    def log_quantiles(self, windows: Windows, horizon: int, levels: Floats) -> Floats:
        said = [member.log_quantiles(windows, horizon, levels) for member in self.members_]
        mean: Floats = np.tensordot(self.weights_, np.stack(said), axes=1)
        return mean

    def learned(self) -> dict[str, Any]:
        return {"weights": self.weights_.tolist()}

    def save(self, folder: Path) -> None:
        super().save(folder)
        for member in self.members_:
            member.save(folder / member.family)

    def restore(self, learned: dict[str, Any], folder: Path) -> None:
        self.weights_ = np.array(learned["weights"])
        self.members_ = [family(name).load(folder / name) for name in self.members]

    def _weights(self, frame: pd.DataFrame) -> Floats:
        """Let members that know the earlier sessions forecast the later ones, and weigh them by that."""
        known, border = self._earlier(frame)
        late = WindowSet(frame, MAX_HORIZON, since=border)  # what the members have learned from ends before them
        if len(late) < _ENOUGH:
            raise BadFrame(f"{self.family} needs {_ENOUGH} forecasts to find weights by, there are {len(late)}")
        windows, targets = late.thinned(_MOST)
        then = [self._member(name).fit(known) for name in self.members]
        said = np.stack([member.log_quantiles(windows, MAX_HORIZON, np.array(LEVELS)) for member in then])
        return weights(said, targets)

    def _earlier(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, np.datetime64]:
        """Return the rows of the earlier sessions, and the last of those: weights are found on what comes after."""
        moments = np.unique(frame["ds"].to_numpy(dtype="datetime64[ns]"))
        border = moments[int(len(moments) * (1 - self.validation)) - 1]
        return frame[frame["ds"] <= border], border

    def _member(self, name: str) -> Estimator:
        """Make a member as its family is made by itself."""
        shared = {"seed": self.seed, "threads": self.threads, "exchange": self.exchange}
        return family(name)(**parameters_of(name, shared, self.overrides.get(name, {})))


def weights(said: Floats, outcomes: Floats) -> Floats:
    """Return the weights of members with the lowest CRPS of their mean, each step in units of its usual width.

    Args:
        said: [members, n, H, LEVELS] quantiles of log returns; outcomes: [n, H].
    """
    levels = np.array(LEVELS)
    width = np.median(said[0, :, :, -1] - said[0, :, :, 0], axis=0)[:, None]

    def loss(given: Floats) -> tuple[float, Floats]:
        gap = (outcomes[..., None] - np.tensordot(given, said, axes=1)) / width
        slope = np.where(gap >= 0, levels, levels - 1)  # of the pinball loss
        return float(np.mean(slope * gap)), -np.tensordot(said / width, slope, axes=3) / gap.size

    count = len(said)
    found = minimize(
        loss,
        np.full(count, 1 / count),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * count,
        constraints={"type": "eq", "fun": lambda given: given.sum() - 1, "jac": lambda given: np.ones(count)},
        options={"ftol": 1e-10},
    )
    least = np.clip(found.x, 0.0, None)
    shares: Floats = least / least.sum()
    return shares
