"""The command `python -m forecasting.backtest`: ask all families at rolling origins what they could not know.

Reads the log (as far as an offset vector or a time) or a CSV file; prints the table, writes an HTML report, and logs
both to MLflow where it answers.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from contracts.files.numbers import printable
from forecasting import history, quality
from forecasting.backtests import Maker
from forecasting.csvbars import read_bars
from forecasting.endings import told_to_end
from forecasting.folds import Fold, folds, folds_after
from forecasting.models.families import FAMILIES, family
from forecasting.pages import page, readable
from forecasting.progress import TrainingProgress, progress_for
from forecasting.quality import Finding
from forecasting.registry import ModelRegistry, ModelsAway
from forecasting.settings import ForecastingSettings
from forecasting.tracking import log_backtest
from forecasting.train import as_of, quiet_start
from forecasting.training import parameters, tags_of
from forecasting.trials import Trial, attempt
from forecasting.versions import code_version
from forecasting.windows import BadFrame
from streaming.admin import NotReady, await_kafka
from streaming.damage import LogUnsound
from streaming.reader import LogAway
from streaming.registry import RegistryAway


@dataclass(frozen=True, slots=True)
class Bars:
    """What is backtested on."""

    frame: pd.DataFrame
    found: list[Finding]
    sha256: str
    source: str


@told_to_end()
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 1 a server is away or there is too little data, 2 bad usage."""
    parser = _parser()
    given = parser.parse_args(arguments)
    quiet_start("backtest")
    settings = ForecastingSettings()
    names = list(FAMILIES) if given.families == "all" else given.families.split(",")
    if unknown := set(names) - set(FAMILIES):
        parser.error(f"no family {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    names = [name for name in FAMILIES if name in names or name == "naive"]
    try:
        with progress_for(interactive=sys.stderr.isatty()) as progress:
            bars = _bars(settings, given, progress)
            digest = _digest(settings, given, bars, names)
            if given.if_needed and (done := ModelRegistry(settings).finished_run({"trial": digest})):
                print(f"nothing to do: MLflow run {done} has asked the same models about the same bars")
                return 0
            trial = _attempt(settings, given, bars, names, progress)
    except (NotReady, LogAway, RegistryAway, ModelsAway, LogUnsound, BadFrame, ValueError) as error:
        print(f"backtest ended without a result: {error}", file=sys.stderr)
        return 1
    show(trial, bars.found, Console(width=None if sys.stdout.isatty() else 170, markup=False, highlight=False))
    about = _about(settings, given, bars, trial)
    out = Path(given.out) if given.out else settings.home / "reports" / f"backtest-{bars.sha256[:12]}.html"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(trial, about, bars.found), encoding="utf-8")
    print(f"report: {out}")
    if given.mlflow:
        print(_logged(settings, trial, about, bars, digest, out))
    return 0


def show(trial: Trial, found: list[Finding], console: Console) -> None:
    """Print the table, the verdicts and what was found in the data."""
    rows = readable(trial)
    table = Table(title="Backtest: means over symbols, [middle 90 % of symbols]", title_justify="left")
    for name in rows.columns:
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for row in rows.itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)
    for verdict in trial.verdicts.itertuples(index=False):
        text = f"{verdict.model} against {verdict.against}, {verdict.step} ahead: better on {verdict.better}, "
        console.print(f"{text}worse on {verdict.worse} of {verdict.of} symbols beyond noise")
    for name, share in trial.poorest.items():
        console.print(f"{name}: the poorest 60 sessions in a row covered {share:.4f} at 95 %")
    for line in (*trial.suspicions, *quality.told(found)):
        console.print(printable(line))


def _bars(settings: ForecastingSettings, given: argparse.Namespace, progress: TrainingProgress) -> Bars:
    if given.csv:
        progress.stage(f"reading {given.csv}")
        frame, refused, digest = read_bars(Path(given.csv), settings.exchange_calendar, settings.csv_ways)
        found = [*refused, *quality.findings(frame, settings.exchange_calendar)]
        return Bars(frame, found, digest, Path(given.csv).name)
    progress.stage("reading the log")
    await_kafka(settings)
    until = as_of(given.as_of)
    vector = history.freeze_as_of(settings, until) if isinstance(until, datetime) else until
    read = history.load(settings, vector or history.freeze(settings))
    return Bars(
        read.frame, quality.findings(read.frame, settings.exchange_calendar), read.sha256, read.vector.to_json()
    )


def _attempt(
    settings: ForecastingSettings, given: argparse.Namespace, bars: Bars, names: list[str], progress: TrainingProgress
) -> Trial:
    if not len(bars.frame):
        raise BadFrame("there are no bars")
    moments = np.unique(bars.frame["ds"].to_numpy(dtype="datetime64[ns]"))
    makers: Mapping[str, Maker]
    if given.registered:
        makers, until = _registered(settings, bars, names)
        asked: list[Fold] = folds_after(moments, until, given.sessions + given.warm_up, given.embargo)
    else:
        makers = {name: _maker(settings, name, progress) for name in names}
        asked = folds(moments, given.sessions + given.warm_up, given.embargo, given.refit)
    return attempt(
        bars.frame,
        asked,
        makers,
        horizon=settings.horizon,
        exchange=settings.exchange_calendar,
        warm_up=given.warm_up,
        told=progress.stage,
    )


def _maker(settings: ForecastingSettings, name: str, progress: TrainingProgress) -> Maker:
    chosen = parameters(settings, name)
    return lambda frame: family(name)(**chosen).fit(frame, lambda epoch: progress.epoch(name, epoch))


def _registered(
    settings: ForecastingSettings, bars: Bars, names: list[str]
) -> tuple[Mapping[str, Maker], np.datetime64]:
    """Take the versions that this code made of these bars, and the last close that any of them has learned from."""
    registry = ModelRegistry(settings)
    found = {name: registry.find(tags_of(settings, bars.sha256, name)) for name in names}
    if found.get("naive") is None:
        raise BadFrame("no registered version has learned from these bars: train first, or leave out --registered")
    there = {name: version for name, version in found.items() if version is not None}
    loaded = {name: registry.load(version.version).estimator for name, version in there.items()}
    until = max(np.datetime64(version.tags["learned_until"], "ns") for version in there.values())
    return {name: lambda _, model=model: model for name, model in loaded.items()}, until


def _about(
    settings: ForecastingSettings, given: argparse.Namespace, bars: Bars, trial: Trial
) -> dict[str, str | int | bool]:
    return {
        "data": bars.source,
        "sha256": bars.sha256,
        "symbols": bars.frame["unique_id"].nunique(),
        "bars": len(bars.frame),
        "first_origin": str(trial.asked.windows.origins.min())[:10],
        "last_origin": str(trial.asked.windows.origins.max())[:10],
        "sessions": given.sessions,
        "warm_up": given.warm_up,
        "embargo": given.embargo,
        "refit": given.refit,
        "registered": given.registered,
        "horizon": settings.horizon,
        "seed": settings.seed,
        "code_version": code_version(),
    }


def _digest(settings: ForecastingSettings, given: argparse.Namespace, bars: Bars, names: list[str]) -> str:
    """Name a backtest by what is asked of which models: data, code, recipes, folds."""
    asked = {name: getattr(given, name) for name in ("sessions", "warm_up", "embargo", "refit", "registered")}
    models = [tags_of(settings, bars.sha256, name) for name in names]
    return hashlib.sha256(json.dumps([asked, settings.horizon, models]).encode()).hexdigest()


def _logged(
    settings: ForecastingSettings,
    trial: Trial,
    about: Mapping[str, str | int | bool],
    bars: Bars,
    digest: str,
    report: Path,
) -> str:
    registry = ModelRegistry(settings)
    tags = {"kind": "backtest", "data_sha256": bars.sha256, "trial": digest}
    try:
        registry.close_abandoned()
        with registry.answering(), registry.run("backtest", tags) as run_id:
            log_backtest(trial, about, quality.rows(bars.found), report)
    except ModelsAway as error:
        return f"not logged: {error}"
    return f"logged to MLflow run {run_id}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m forecasting.backtest", description=__doc__)
    parser.add_argument("--csv", default="", metavar="FILE", help="bars from a CSV file or folder, not the log")
    parser.add_argument("--as-of", "--offsets", default="", metavar="TIME|OFFSETS", help="this part of the log only")
    parser.add_argument("--families", default="all", help=f"all, or some of {','.join(FAMILIES)}")
    parser.add_argument("--sessions", type=int, default=252, help="last sessions that are scored")
    parser.add_argument("--warm-up", type=int, default=0, help="sessions before them, for the calibration only")
    parser.add_argument("--embargo", type=int, default=5, help="sessions between what is learned and the first origin")
    parser.add_argument("--refit", type=int, default=0, metavar="N", help="learn anew after N sessions; 0: once")
    parser.add_argument("--registered", action="store_true", help="ask the versions trained on these bars; fit nothing")
    parser.add_argument("--if-needed", action="store_true", help="end at once if MLflow has this very backtest")
    parser.add_argument("--out", default="", metavar="FILE", help="where the HTML report goes")
    parser.add_argument("--mlflow", action=argparse.BooleanOptionalAction, default=True, help="log to MLflow")
    return parser


if __name__ == "__main__":
    sys.exit(main())
