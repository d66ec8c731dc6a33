"""A backtest as one HTML page that needs nothing beside it: tables, and pictures inside."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from string import Template

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from contracts.measures import LEVELS
from forecasting.backtest.baselines import ROLLING
from forecasting.backtest.leakage import WORST_WINDOW_SESSIONS
from forecasting.backtest.run import BacktestResult
from forecasting.data.quality import Finding, lines_of

_COLOURS = ("#000000", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")  # Okabe & Ito
_PAGE = Template(
    """<!doctype html><html lang="en"><meta charset="utf-8"><title>Backtest</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;font-size:13px}td,th{padding:.2em .6em;text-align:right;border-bottom:1px solid #ccc}
td:first-child,th:first-child{text-align:left}img{max-width:100%}.wide{overflow-x:auto}</style>
<h1>Backtest</h1><p>$about</p>$doubts
<h2>Scores</h2><p>Means over symbols, the middle 90 % of symbols in brackets. Skill is against the calibrated random
walk (<i>naive</i>); <i>$rolling</i> is the plain one, its width the last 252 moves.</p><div class="wide">$scores</div>
<h2>Beyond noise</h2><p>Symbols whose CRPS is lower (better) or higher (worse) by Diebold-Mariano with the
Harvey-Leybourne-Newbold correction, Benjamini-Hochberg over symbols at 5 %.</p><div class="wide">$verdicts</div>
<h2>Pictures</h2>$pictures
<h2>Data</h2><p>What was found in the bars; nothing of it is filled in.</p><pre>$quality</pre></html>
"""
)


def backtest_page(trial: BacktestResult, about: Mapping[str, object], found: Sequence[Finding]) -> str:
    """Return the page."""
    doubts = "".join(f"<p><strong>Too good to be true.</strong> {escape(str(each))}</p>" for each in trial.suspicions)
    drawn = (
        draw_skill_by_step(trial),
        draw_coverage_by_step(trial),
        draw_coverage_by_session(trial),
        draw_calibration(trial),
    )
    return _PAGE.substitute(
        about=escape("; ".join(f"{name}: {value}" for name, value in about.items())),
        doubts=doubts,
        rolling=ROLLING,
        scores=summary_table(trial).to_html(index=False, border=0),
        verdicts=trial.verdicts.to_html(index=False, border=0),
        pictures="".join(map(_image, drawn)),
        quality=escape("\n".join(lines_of(found)) or "nothing"),
    )


def summary_table(trial: BacktestResult) -> pd.DataFrame:
    """Return the summary as people read it: one row a model and step."""

    def ranged(row: pd.Series, name: str, form: str) -> str:
        return f"{row[name]:{form}} [{row[f'{name}_p5']:{form}}, {row[f'{name}_p95']:{form}}]"

    rows = [
        {
            "model": row["model"],
            "step": row["step"],
            "MASE": ranged(row, "mase", ".3f"),
            "RMSSE": ranged(row, "rmsse", ".3f"),
            "sCRPS": ranged(row, "scrps", ".5f"),
            "MSIS": ranged(row, "msis", ".2f"),
            "in 80 %": ranged(row, "coverage_80", ".3f"),
            "in 95 %": ranged(row, "coverage_95", ".3f"),
            "skill": ranged(row, "skill", "+.2%"),
            "rel. MAE": f"{row['relative_mae']:.4f}",
        }
        for _, row in trial.summary.iterrows()
    ]
    return pd.DataFrame(rows)


def draw_skill_by_step(trial: BacktestResult) -> Figure:
    """Draw each family's skill by step, the middle 90 % of symbols as bars."""
    figure = _figure("Skill by sessions ahead, with its spread over symbols")
    axes = figure.add_subplot()
    for number, (name, rows) in enumerate(_families(trial)):
        spread = np.abs(np.stack([rows["skill"] - rows["skill_p5"], rows["skill_p95"] - rows["skill"]]))
        place = rows["step"] + 0.1 * number - 0.25
        axes.errorbar(place, 100 * rows["skill"], 100 * spread, fmt="o", capsize=2, color=_COLOURS[number], label=name)
    axes.axhline(0, color="#777777", linewidth=1)
    axes.set(xlabel="sessions ahead", ylabel="% lower sCRPS than the random walk")
    axes.legend(fontsize=8, frameon=False)
    return figure


def draw_coverage_by_step(trial: BacktestResult) -> Figure:
    """Draw how many outcomes lay inside the intervals, by step."""
    figure = _figure("Coverage by sessions ahead")
    for place, share in enumerate((80, 95), start=1):
        axes = figure.add_subplot(1, 2, place)
        for number, (name, rows) in enumerate(_families(trial)):
            axes.plot(rows["step"], rows[f"coverage_{share}"], marker="o", color=_COLOURS[number], label=name)
        axes.axhline(share / 100, color="#777777", linewidth=1, linestyle="--")
        axes.set(xlabel="sessions ahead", ylabel=f"share inside the {share} % interval")
    axes.legend(fontsize=8, frameon=False)
    return figure


def draw_coverage_by_session(trial: BacktestResult) -> Figure:
    """Draw the coverage of the last sessions as it went, one step ahead, 95 %."""
    figure = _figure(f"Coverage of {WORST_WINDOW_SESSIONS} sessions in a row, one session ahead")
    axes = figure.add_subplot()
    for number, (name, _) in enumerate(_families(trial)):
        held = trial.held[name]["held"] / trial.held[name]["of"]
        axes.plot(held.index, held.rolling(WORST_WINDOW_SESSIONS).mean(), color=_COLOURS[number], label=name)
    axes.axhline(0.95, color="#777777", linewidth=1, linestyle="--")
    axes.set(ylabel="share inside the 95 % interval")
    axes.legend(fontsize=8, frameon=False)
    return figure


def draw_calibration(trial: BacktestResult) -> Figure:
    """Draw the share of outcomes below each quantile, one step ahead: on the diagonal when honest."""
    figure = _figure("Calibration, one session ahead")
    axes = figure.add_subplot()
    for number, (name, _) in enumerate(_families(trial)):
        axes.plot(LEVELS, trial.below.loc[name], marker="o", color=_COLOURS[number], label=name)
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=1, linestyle="--")
    axes.set(xlabel="quantile level", ylabel="share of outcomes below")
    axes.legend(fontsize=8, frameon=False)
    return figure


def _families(trial: BacktestResult) -> list[tuple[str, pd.DataFrame]]:
    shown = trial.summary[~trial.summary["model"].str.endswith(" raw")]
    return [(str(name), rows) for name, rows in shown.groupby("model", sort=False)]


def _figure(label: str) -> Figure:
    figure = Figure(figsize=(8, 4), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)  # draws without a screen
    figure.set_label(label)
    figure.suptitle(label, fontsize=10)
    return figure


def _image(figure: Figure) -> str:
    held = BytesIO()
    figure.savefig(held, format="png")
    inline = "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()
    return f'<p><img alt="{escape(str(figure.get_label()))}" src="{inline}"></p>'
