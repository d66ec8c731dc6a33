"""Pictures of a model for its MLflow run: the fan of its last forecasts, its calibration, its skill by step."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from contracts.measures import LEVELS
from forecasting.models.base import Epoch, quantile_column
from forecasting.training.holdout import Scores

_BLUE, _ORANGE, _GREY = "#0072B2", "#E69F00", "#777777"  # Okabe & Ito: told apart by all eyes


def fan(frame: pd.DataFrame, forecast: pd.DataFrame, family: str, most: int = 6) -> Figure:
    """Draw the last closes of some symbols and the forecast after them, with its 80 % and 95 % intervals."""
    symbols = list(forecast["unique_id"].unique())[:most]
    figure = _figure(10, 2.6 * len(symbols))
    for number, symbol in enumerate(symbols, start=1):
        axes = figure.add_subplot(len(symbols), 1, number)
        past = frame[frame["unique_id"] == symbol].tail(64)
        future = forecast[forecast["unique_id"] == symbol]
        when = pd.concat([past["ds"].tail(1), future["ds"]])
        last = float(past["y"].iloc[-1])
        for low, high, strength in ((0.025, 0.975, 0.2), (0.1, 0.9, 0.35)):
            below, above = (np.concatenate([[last], future[quantile_column(level)]]) for level in (low, high))
            axes.fill_between(when, below, above, color=_BLUE, alpha=strength, label=f"{high - low:.0%}", linewidth=0)
        axes.plot(past["ds"], past["y"], color="black", linewidth=1)
        axes.plot(when, np.concatenate([[last], future["mean"]]), color=_BLUE, linewidth=1.5, label=family)
        axes.set_title(f"{symbol}, origin {past['ds'].iloc[-1]:%Y-%m-%d}", loc="left", fontsize=9)
        axes.legend(loc="upper left", fontsize=7, frameon=False)
    return figure


def calibration(scores: Scores) -> Figure:
    """Draw the share of outcomes below each quantile against its level: on the diagonal when honest."""
    figure = _figure(4.5, 4.5)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--")
    axes.plot(LEVELS, scores.below, color=_BLUE, marker="o")
    axes.set(xlabel="quantile level", ylabel="share of outcomes below", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(f"{scores.family}: calibration over {scores.n} steps", fontsize=9)
    return figure


def skill_by_step(scores: Scores, naive: Scores) -> Figure:
    """Draw how much lower sCRPS and MASE are than the random walk's, by step."""
    figure = _figure(6, 3.5)
    axes = figure.add_subplot()
    steps = np.arange(1, len(scores.scrps_by_step) + 1)
    for label, ours, theirs, colour, side in (
        ("sCRPS", scores.scrps_by_step, naive.scrps_by_step, _BLUE, -0.2),
        ("MASE", scores.mase_by_step, naive.mase_by_step, _ORANGE, 0.2),
    ):
        axes.bar(steps + side, 100 * (1 - np.array(ours) / np.array(theirs)), 0.4, color=colour, label=label)
    axes.axhline(0, color=_GREY, linewidth=1)
    axes.set(xlabel="sessions ahead", ylabel="% better than the random walk", xticks=steps)
    axes.set_title(f"{scores.family}: skill on the hold-out", fontsize=9)
    axes.legend(fontsize=8, frameon=False)
    return figure


def curves(family: str, epochs: Sequence[Epoch]) -> Figure:
    """Draw the losses by epoch."""
    figure = _figure(6, 3.5)
    axes = figure.add_subplot()
    numbers = [epoch.number for epoch in epochs]
    axes.plot(numbers, [epoch.loss for epoch in epochs], color=_BLUE, label="training")
    axes.plot(numbers, [epoch.val_loss for epoch in epochs], color=_ORANGE, label="later sessions")
    axes.set(xlabel="epoch", ylabel="pinball loss of scaled returns")
    axes.set_title(f"{family}: training", fontsize=9)
    axes.legend(fontsize=8, frameon=False)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)  # draws without a screen
    return figure
