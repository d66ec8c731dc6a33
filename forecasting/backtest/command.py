"""Ask all families at rolling origins what they could not know: `foretick backtest`."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from contracts.files.numbers import printable
from forecasting.backtest.origins import RollingSplit, rolling_splits, rolling_splits_after
from forecasting.backtest.page import backtest_page, summary_table
from forecasting.backtest.run import Backtest, BacktestResult, Maker
from forecasting.backtest.tracking import log_backtest
from forecasting.data import history, quality
from forecasting.data.code_version import code_version
from forecasting.data.csvbars import read_csv_bars
from forecasting.data.offsets import OffsetVector
from forecasting.data.quality import Finding
from forecasting.data.windows import BadFrame
from forecasting.models.families import FAMILIES, family
from forecasting.models.tasks import Share, results_kept, results_of
from forecasting.modelstore.registry import ModelRegistry, ModelsAway
from forecasting.modelstore.shares import log_share, read_shares, share_done
from forecasting.modelstore.signals import terminated_by_signals
from forecasting.settings import ForecastingSettings
from forecasting.training.command import quiet_start
from forecasting.training.progress import TrainingProgress, progress_for
from forecasting.training.recipes import parameters, recipe_of, tags_of
from forecasting.training.workers import workers
from streaming.admin import await_kafka
from streaming.damage import LogUnsound
from streaming.errors import ServerAway


@dataclass(frozen=True, slots=True)
class InputBars:
    """What is backtested on."""

    frame: pd.DataFrame
    found: list[Finding]
    sha256: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOptions:
    """What is asked, and of whom.

    Attributes:
        csv: a file or folder of bars; None: the log, as far as `as_of` (None: all of it).
        sessions: last sessions that are scored; `warm_up`: those before them, for the calibration only.
        embargo: sessions between what is learned and the first origin.
        refit: learn again after so many sessions; 0: once.
        registered: ask the versions that were trained on these bars; fit nothing.
        if_needed: end at once if MLflow has this very backtest.
        out: where the HTML report goes; None: into the home.
        mlflow: log figures and report there.
        share: do this share of it, of `registered` versions, and leave the result in MLflow for who asks for all.
    """

    csv: Path | None = None
    as_of: OffsetVector | datetime | None = None
    families: Sequence[str] = tuple(FAMILIES)
    sessions: int = 252
    warm_up: int = 0
    embargo: int = 5
    refit: int = 0
    registered: bool = False
    if_needed: bool = False
    out: Path | None = None
    mlflow: bool = True
    share: Share | None = None


@terminated_by_signals()
def backtest(given: BacktestOptions) -> int:
    """Backtest, print the figures, and return an exit code: 0 done, 1 a server is away or there is too little data."""
    quiet_start("backtest")
    settings = ForecastingSettings()
    names = [name for name in FAMILIES if name in given.families or name == "naive"]
    try:
        with progress_for(interactive=sys.stderr.isatty()) as progress:
            bars = _bars(settings, given, progress)
            digest = _digest(settings, given, bars, names)
            if given.if_needed and (done := ModelRegistry(settings).finished_runs({"trial": digest}, most=1)):
                print(f"nothing to do: MLflow run {done[0]} has asked the same models about the same bars")
                return 0
            planned = _planned(settings, given, bars, names, digest, progress)
            if given.share:
                return _share(settings, given.share, planned, progress)
            done_before = read_shares(ModelRegistry(settings), digest) if given.registered else {}
            with workers(settings), results_kept(done_before):
                trial = planned.run()
    except (ServerAway, LogUnsound, BadFrame, ValueError) as error:
        print(f"backtest ended without a result: {error}", file=sys.stderr)
        return 1
    print_result(trial, bars.found, Console(width=None if sys.stdout.isatty() else 170, markup=False, highlight=False))
    about = _about(settings, given, bars, trial)
    out = given.out or settings.home / "reports" / f"backtest-{bars.sha256[:12]}.html"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(backtest_page(trial, about, bars.found), encoding="utf-8")
    print(f"report: {out}")
    if given.mlflow:
        print(_logged(settings, trial, about, bars, digest, out))
    return 0


def print_result(trial: BacktestResult, found: list[Finding], console: Console) -> None:
    """Print the table, the verdicts and what was found in the data."""
    rows = summary_table(trial)
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
    for line in (*trial.suspicions, *quality.lines_of(found)):
        console.print(printable(line))


def _bars(settings: ForecastingSettings, given: BacktestOptions, progress: TrainingProgress) -> InputBars:
    if given.csv:
        progress.stage(f"reading {given.csv}")
        frame, refused, digest = read_csv_bars(given.csv, settings.exchange_calendar, settings.csv_ways)
        found = [*refused, *quality.findings(frame, settings.exchange_calendar)]
        return InputBars(frame, found, digest, given.csv.name)
    progress.stage("reading the log")
    await_kafka(settings)
    until = given.as_of
    vector = history.freeze_as_of(settings, until) if isinstance(until, datetime) else until
    read = history.load_history(settings, vector or history.freeze(settings))
    return InputBars(
        read.frame, quality.findings(read.frame, settings.exchange_calendar), read.sha256, read.vector.to_json()
    )


def _planned(
    settings: ForecastingSettings,
    given: BacktestOptions,
    bars: InputBars,
    names: list[str],
    digest: str,
    progress: TrainingProgress,
) -> Backtest:
    if not len(bars.frame):
        raise BadFrame("there are no bars")
    moments = np.unique(bars.frame["ds"].to_numpy(dtype="datetime64[ns]"))
    makers: Mapping[str, Maker]
    if given.registered:
        makers, until = _registered(settings, bars, names)
        asked: list[RollingSplit] = rolling_splits_after(moments, until, given.sessions + given.warm_up, given.embargo)
    else:
        makers = {name: _maker(settings, name, progress) for name in names}
        asked = rolling_splits(moments, given.sessions + given.warm_up, given.embargo, given.refit)
    return Backtest(
        frame=bars.frame,
        splits=asked,
        makers=makers,
        horizon=settings.horizon,
        exchange=settings.exchange_calendar,
        warm_up=given.warm_up,
        name=digest,
        told=progress.stage,
    )


def _share(settings: ForecastingSettings, share: Share, planned: Backtest, progress: TrainingProgress) -> int:
    registry, results = ModelRegistry(settings), dict[str, bytes]()
    if share_done(registry, planned.name, share):
        print(f"nothing to do: share {share} has been done")
        return 0
    registry.close_abandoned()
    tasks = share.taken_from(planned.tasks())
    with workers(settings), results_kept(results):
        for number, _ in enumerate(results_of(tasks), start=1):
            progress.stage(f"share {share}: {number} of {len(tasks)} tasks")
    log_share(registry, planned.name, share, results)
    print(f"share {share}: {len(tasks)} tasks done")
    return 0


def _maker(settings: ForecastingSettings, name: str, progress: TrainingProgress) -> Maker:
    chosen = parameters(settings, name)
    return lambda frame: family(name)(**chosen).fit(frame, lambda epoch: progress.epoch(name, epoch))


def _registered(
    settings: ForecastingSettings, bars: InputBars, names: list[str]
) -> tuple[Mapping[str, Maker], np.datetime64]:
    """Take the versions that this code made of these bars, and the last close that any of them has learned from."""
    registry = ModelRegistry(settings)
    found = {name: registry.find(tags_of(recipe_of(settings, name), bars.sha256)) for name in names}
    if found.get("naive") is None:
        raise BadFrame("no registered version has learned from these bars: train first, or leave out --registered")
    there = {name: version for name, version in found.items() if version is not None}
    loaded = {name: registry.load(version.version).estimator for name, version in there.items()}
    until = max(np.datetime64(version.tags["learned_until"], "ns") for version in there.values())
    return {name: lambda _, model=model: model for name, model in loaded.items()}, until


def _about(
    settings: ForecastingSettings, given: BacktestOptions, bars: InputBars, trial: BacktestResult
) -> dict[str, str | int | bool]:
    origins = trial.held["naive"].index
    return {
        "data": bars.source,
        "sha256": bars.sha256,
        "symbols": bars.frame["unique_id"].nunique(),
        "bars": len(bars.frame),
        "first_origin": str(origins.min())[:10],
        "last_origin": str(origins.max())[:10],
        "sessions": given.sessions,
        "warm_up": given.warm_up,
        "embargo": given.embargo,
        "refit": given.refit,
        "registered": given.registered,
        "horizon": settings.horizon,
        "seed": settings.seed,
        "code_version": code_version(),
    }


def _digest(settings: ForecastingSettings, given: BacktestOptions, bars: InputBars, names: list[str]) -> str:
    """Name a backtest by what is asked of which models: data, code, recipes, splits."""
    asked = {name: getattr(given, name) for name in ("sessions", "warm_up", "embargo", "refit", "registered")}
    models = [tags_of(recipe_of(settings, name), bars.sha256) for name in names]
    return hashlib.sha256(json.dumps([asked, settings.horizon, models]).encode()).hexdigest()


def _logged(
    settings: ForecastingSettings,
    trial: BacktestResult,
    about: Mapping[str, str | int | bool],
    bars: InputBars,
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
