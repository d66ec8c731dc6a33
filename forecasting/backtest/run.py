"""A whole backtest: every family at every origin, raw and calibrated, with its figures and tests.  Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from contracts.parts import NAIVE
from forecasting.backtest.baselines import ROLLING, rolling_conformal
from forecasting.backtest.leakage import leakage_warnings, worst_window
from forecasting.backtest.metrics import by_symbol, compare_losses, count_beyond_noise, losses_of, summary_by_step
from forecasting.backtest.origins import Questions, RollingSplit, questions
from forecasting.backtest.replay import Maker, calibrate, forecast_origins, inside, published_levels
from forecasting.data.windows import Floats

RAW = "{} raw"


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """What came of a backtest; models are families (calibrated), `FAMILY raw`, and the plain random walk."""

    asked: Questions
    said: Mapping[str, Floats]  # log quantiles [n, H, len(LEVELS)]
    scores: pd.DataFrame  # by symbol
    summary: pd.DataFrame
    verdicts: pd.DataFrame  # model, step, against, better, worse, of
    poorest: Mapping[str, float]  # lowest coverage of 60 sessions in a row, 95 %, one session ahead
    suspicions: Sequence[str]


def run_backtest(
    frame: pd.DataFrame,
    splits: list[RollingSplit],
    makers: Mapping[str, Maker],
    *,
    horizon: int,
    exchange: str,
    warm_up: int = 0,
    told: Callable[[str], None] = lambda text: None,
) -> BacktestResult:
    """Run all families over the same origins.

    Args:
        makers: how each family is fitted; `naive` is among them.
        warm_up: first sessions that only calibration learns from; they are not scored.
    """
    asked = questions(frame, splits, horizon, exchange)
    said: dict[str, Floats] = {ROLLING: rolling_conformal(frame, asked)}
    for name, make in makers.items():
        told(f"forecasting {len(asked)} origins with {name}")
        logs = forecast_origins(frame, splits, asked, make)
        said[name], said[RAW.format(name)] = calibrate(logs, asked), published_levels(logs)
    told("scoring and testing")
    origins = np.unique(asked.windows.origins)
    counts = np.flatnonzero(asked.windows.origins >= origins[min(warm_up, len(origins) - 1)])
    asked = Questions(asked.windows[counts], asked.targets[counts], asked.actual[counts])
    said = {name: logs[counts] for name, logs in said.items()}
    past = frame[frame["ds"].to_numpy(dtype="datetime64[ns]") <= asked.windows.origins.min()]
    scores = by_symbol(said, asked, past[["unique_id", "ds", "y"]])
    table = summary_by_step(scores, NAIVE)
    verdicts, doubts = _verdicts(said, asked, table)
    poorest = {name: worst_window(inside(logs, asked)[:, 0, 1], asked.windows.origins) for name, logs in said.items()}
    return BacktestResult(asked, said, scores, table, verdicts, poorest, doubts)


def _verdicts(said: Mapping[str, Floats], asked: Questions, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Test each calibrated family against the random walk and the plain one, by CRPS; look for what is too good."""
    lost = {name: losses_of(logs, asked) for name, logs in said.items() if not name.endswith(" raw")}
    parts, doubts = [], []
    for name, own in lost.items():
        for baseline in (NAIVE, ROLLING):
            if name in (baseline, ROLLING):
                continue
            found = count_beyond_noise(compare_losses(own, lost[baseline], asked, "crps")).reset_index()
            parts.append(found.assign(model=name, against=baseline))
        if name not in (NAIVE, ROLLING):
            doubts += leakage_warnings(
                table, count_beyond_noise(compare_losses(own, lost[NAIVE], asked, "absolute")), name
            )
    columns = ["model", "against", "step", "better", "worse", "of"]
    return pd.concat(parts, ignore_index=True)[columns], doubts
