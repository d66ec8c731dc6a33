"""How good a backtest's forecasts were, by model, step and symbol; and which differences are more than noise.  Pure.

Errors, scaled CRPS, Winkler scores and coverage are utilsforecast's own functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from utilsforecast.losses import coverage, mase, rmsse, scaled_crps, winkler_score

from contracts.measures import LEVELS
from forecasting.backtest.origins import Questions
from forecasting.data.windows import Floats
from forecasting.models.losses import absolute_error, crps, diebold_mariano

FALSE_DISCOVERY_RATE = 0.05  # the false discovery rate over symbols (Benjamini & Hochberg 1995)
METRICS = ("mase", "rmsse", "scrps", "msis", "coverage_80", "coverage_95")
_BOUNDS = {80: (0.1, 0.9), 95: (0.025, 0.975)}
_MIDDLE = LEVELS.index(0.5)


@dataclass(frozen=True, slots=True)
class Losses:
    """One model's losses: [n, H] in price units, NaN where nothing settled."""

    crps: Floats
    absolute: Floats


def losses_of(logs: Floats, asked: Questions) -> Losses:
    """Return the losses of log quantiles [n, H, len(LEVELS)]."""
    prices = asked.windows.last[:, None, None] * np.exp(logs)
    return Losses(crps(asked.actual, prices, LEVELS), absolute_error(asked.actual, prices[..., _MIDDLE]))


def by_symbol(said: Mapping[str, Floats], asked: Questions, past: pd.DataFrame) -> pd.DataFrame:
    """Score every model on the same outcomes.

    Args:
        said: log quantiles [n, H, len(LEVELS)] by model.
        past: the bars before the first origin, `unique_id, ds, y`: what scaled errors are scaled by.

    Returns:
        Long frame `model, step, symbol, n` and METRICS; scaled errors are NaN for a symbol without a past or that never
        moved in it.  MSIS is the Winkler score of the 95 % interval in units of the past's mean |one-step change|
        (Gneiting & Raftery 2007; M4's guide).
    """
    parts = []
    for step in range(asked.horizon):
        known = np.isfinite(asked.actual[:, step])
        for logs in said.values():
            known &= np.isfinite(logs[:, step, 0])
        if known.any():
            parts.append(
                _step_scores({name: logs[known, step] for name, logs in said.items()}, asked, known, step, past)
            )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _step_scores(
    said: Mapping[str, Floats], asked: Questions, known: Any, step: int, past: pd.DataFrame
) -> pd.DataFrame:
    last = asked.windows.last[known]
    columns: dict[str, Any] = {
        "unique_id": asked.windows.symbols[known].astype(str),
        "ds": asked.targets[known, step],
        "y": asked.actual[known, step],
    }
    for name, logs in said.items():
        prices = last[:, None] * np.exp(logs)
        columns[name] = prices[:, _MIDDLE]
        columns |= {f"{name}|{level:g}": prices[:, number] for number, level in enumerate(LEVELS)}
        for share, (low, high) in _BOUNDS.items():
            columns[f"{name}-lo-{share}"] = prices[:, LEVELS.index(low)]
            columns[f"{name}-hi-{share}"] = prices[:, LEVELS.index(high)]
    frame, names = pd.DataFrame(columns), list(said)
    before = past[past["unique_id"].isin(frame["unique_id"].unique())]
    scale = before.groupby("unique_id")["y"].apply(lambda y: y.diff().abs().mean()).replace(0.0, np.nan)
    found = {
        "mase": mase(frame, names, 1, before),
        "rmsse": rmsse(frame, names, 1, before),
        "scrps": scaled_crps(
            frame, {name: [f"{name}|{level:g}" for level in LEVELS] for name in names}, np.array(LEVELS)
        ),
        "msis": winkler_score(frame, names, 95),
        "coverage_80": coverage(frame, names, 80),
        "coverage_95": coverage(frame, names, 95),
    }
    counts = frame.groupby("unique_id").size()
    tall = []
    for metric, wide in found.items():
        values = wide.set_index("unique_id")[names].astype(np.float64)
        if metric == "msis":
            values = values.div(scale.reindex(values.index), axis=0)
        if metric in ("mase", "rmsse", "msis"):
            values = values.where(scale.reindex(values.index).notna(), np.nan)
        tall.append(pd.Series(values.rename_axis("model", axis=1).stack(future_stack=True), name=metric))
    table = pd.concat(tall, axis=1).rename_axis(["symbol", "model"]).reset_index()
    scored: pd.DataFrame = table.assign(step=step + 1, n=table["symbol"].map(counts))
    return scored


def summary_by_step(scores: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Average over symbols, by model and step, with the middle 90 % of symbols.

    Returns:
        For each metric its mean, `_p5` and `_p95`; coverage and n count outcomes, not symbols; `skill` is how much
        lower the mean sCRPS is than `baseline`'s, with its spread over symbols, and `relative_mae` the ratio of MASE.
    """
    rows = []
    reference: Any = scores[scores["model"] == baseline].set_index(["step", "symbol"])
    groups: Any = scores.groupby(["model", "step"], sort=False)
    for (model, step), found in groups:
        own, other = found.set_index("symbol"), reference.loc[step]
        row: dict[str, Any] = {"model": model, "step": step, "symbols": len(found), "n": int(found["n"].sum())}
        for metric in METRICS:
            values = own[metric].dropna()
            weights = own["n"] if metric.startswith("coverage") else None
            row[metric] = float(np.average(values, weights=weights)) if len(values) else np.nan
            row[f"{metric}_p5"], row[f"{metric}_p95"] = values.quantile(0.05), values.quantile(0.95)
        gains = 1 - own["scrps"] / other["scrps"]
        row["skill"] = 1 - own["scrps"].mean() / other["scrps"].mean()
        row["skill_p5"], row["skill_p95"] = gains.quantile(0.05), gains.quantile(0.95)
        row["relative_mae"] = own["mase"].mean() / other["mase"].mean()
        rows.append(row)
    return pd.DataFrame(rows)


def compare_losses(model: Losses, baseline: Losses, asked: Questions, kind: str) -> pd.DataFrame:
    """Test a model against another, symbol by symbol: Diebold-Mariano, Harvey-Leybourne-Newbold.

    Returns:
        Long frame `step, symbol, statistic, p`; a negative statistic says that the model loses less.
    """
    ours, theirs = getattr(model, kind), getattr(baseline, kind)
    names = asked.windows.symbols.astype(str)
    rows = []
    for symbol in np.unique(names):
        mine = np.flatnonzero(names == symbol)  # by origin, as questions are ordered
        for step in range(asked.horizon):
            a, b = ours[mine, step], theirs[mine, step]
            both = np.isfinite(a) & np.isfinite(b)
            statistic, p = diebold_mariano(a[both], b[both], step + 1)
            rows.append((step + 1, symbol, statistic, p))
    return pd.DataFrame(rows, columns=["step", "symbol", "statistic", "p"])


def count_beyond_noise(found: pd.DataFrame) -> pd.DataFrame:
    """Count by step the symbols that are better and worse beyond noise: index `step`, columns `better, worse, of`.

    What counts is p adjusted over the symbols of a step (Benjamini & Hochberg 1995), so `found` holds all of them.
    """
    from scipy.stats import false_discovery_control  # takes a second to import: trainings need METRICS alone

    adjusted = found.groupby("step")["p"].transform(partial(false_discovery_control, method="bh"))
    sure = adjusted < FALSE_DISCOVERY_RATE
    table = found.assign(better=sure & (found["statistic"] < 0), worse=sure & (found["statistic"] > 0), of=1)
    return table.groupby("step")[["better", "worse", "of"]].sum()
