"""A whole backtest: every family at every origin, raw and calibrated, with its figures and tests.  Pure.

Models learn from all symbols; then some symbols at a time are a task each.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contracts.parts import NAIVE
from forecasting.backtest.judged import Asking, FittedModels, Judged, judge
from forecasting.backtest.leakage import leakage_warnings, worst_window
from forecasting.backtest.metrics import count_beyond_noise, summary_by_step
from forecasting.backtest.origins import RollingSplit, origins_asked
from forecasting.backtest.portable import PortableModel
from forecasting.data.windows import rows_by_symbols
from forecasting.models.base import Estimator
from forecasting.models.tasks import Task, results_of, task_key

SYMBOLS_AT_ONCE = 50  # a task that takes some two hundred megabytes
Maker = Callable[[pd.DataFrame], Estimator]  # learns from a frame


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """What came of a backtest; models are families (calibrated), `FAMILY raw`, and the plain random walk."""

    scores: pd.DataFrame  # by symbol
    summary: pd.DataFrame
    verdicts: pd.DataFrame  # model, step, against, better, worse, of
    held: Mapping[str, pd.DataFrame]  # by origin, one session ahead, 95 %: outcomes inside, of how many
    below: pd.DataFrame  # share of outcomes below each level (columns) by model, one session ahead
    poorest: Mapping[str, float]  # lowest coverage of 60 sessions in a row, 95 %, one session ahead
    suspicions: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """All families over the same origins.

    Attributes:
        makers: how each family is fitted; `naive` is among them.
        warm_up: first sessions that only calibration learns from; they are not scored.
        name: of this very backtest, where others may have done some of it.
        told: hears of each stage.
    """

    frame: pd.DataFrame
    splits: list[RollingSplit]
    makers: Mapping[str, Maker]
    horizon: int
    exchange: str
    warm_up: int = 0
    name: str = ""
    told: Callable[[str], None] = lambda text: None

    def run(self) -> BacktestResult:
        """Fit, ask and score.

        Raises:
            BadFrame: no symbol has a full window at any origin.
        """
        parts, tasks = [], self.tasks()
        for result in results_of(tasks):
            parts.append(Judged.from_bytes(result))
            self.told(f"forecasting and scoring: {len(parts)} of {len(tasks)} tasks")
        self.told("scoring and testing")
        return _result(Judged.joined(parts))

    def tasks(self) -> list[Task]:
        """Fit all families, and return what is left to do: `judge`, some symbols at a time.  Raises as `run`."""
        origins = origins_asked(self.frame, self.splits)
        moments = np.unique(np.concatenate(list(origins.values())))
        asking = Asking(self.splits, self.horizon, self.exchange, moments[min(self.warm_up, len(moments) - 1)])
        scored = [symbol for symbol, own in origins.items() if own[-1] >= asking.scored_from]
        young = self.frame["unique_id"].nunique() > len(scored)
        frame = self.frame[self.frame["unique_id"].isin(scored)] if young else self.frame
        models = {family: self._fitted(family, make) for family, make in self.makers.items()}
        return [
            Task(task_key("backtest", self.name, number), judge, partial(_arguments, frame, rows, asking, models))
            for number, rows in enumerate(rows_by_symbols(frame, SYMBOLS_AT_ONCE))
        ]

    def _fitted(self, family: str, make: Maker) -> list[PortableModel]:
        self.told(f"fitting {family}")
        return [PortableModel(make(split.learnable(self.frame))) for split in self.splits]


def _arguments(
    frame: pd.DataFrame, rows: NDArray[np.intp], asking: Asking, models: FittedModels
) -> tuple[pd.DataFrame, Asking, FittedModels]:
    return frame.iloc[rows], asking, models


def _result(whole: Judged) -> BacktestResult:
    table = summary_by_step(whole.scores, NAIVE)
    columns = ["model", "against", "step", "better", "worse", "of"]
    beyond = {
        tuple(map(str, key)): count_beyond_noise(found).reset_index()
        for key, found in whole.tests.groupby(["kind", "model", "against"], sort=False)
    }
    verdicts = [
        found.assign(model=model, against=against) for (kind, model, against), found in beyond.items() if kind == "crps"
    ]
    doubts = [
        doubt
        for (kind, name, _), found in beyond.items()
        if kind == "absolute"
        for doubt in leakage_warnings(table, found, name)
    ]
    held = {
        str(name): daily.set_index("origin")[["held", "of"]] for name, daily in whole.held.groupby("model", sort=False)
    }
    return BacktestResult(
        scores=whole.scores,
        summary=table,
        verdicts=pd.concat(verdicts, ignore_index=True)[columns],
        held=held,
        below=whole.below.set_index("model").pipe(lambda counts: counts.div(counts.pop("of"), axis=0)),
        poorest={name: worst_window(daily) for name, daily in held.items()},
        suspicions=doubts,
    )
