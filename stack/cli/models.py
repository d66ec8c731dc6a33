"""`foretick train`, `backtest`, `models`, `promote`, `reproduce`: the models, and what can be proven of them."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from stack.terminal import here, quiet, terminal

_Read = TypeVar("_Read")


def train(
    families: Annotated[str, typer.Option(metavar="LIST", help="all, or some: naive,arima,lstm.")] = "all",
    as_of: Annotated[
        str, typer.Option("--as-of", "--offsets", metavar="TIME|OFFSETS", help="Train on this part of the log only.")
    ] = "",
    freeze: Annotated[bool, typer.Option("--freeze", help="Print the offsets of the data, and end.")] = False,
    if_needed: Annotated[bool, typer.Option("--if-needed", help="Train nothing the same data trained before.")] = False,
    register_only: Annotated[
        bool, typer.Option("--register-only", help="Decide nothing: no alias moves, nothing is promoted.")
    ] = False,
    shares: Annotated[
        bool, typer.Option("--shares", help="Print the shares that this work is worth parting into, and end.")
    ] = False,
    share: Annotated[str, typer.Option(metavar="3/20", help="Do one share of it, for who trains on that data.")] = "",
) -> None:
    """Train the model families on the log, compare them with the random walk, and promote what passes the gate.

    The Airflow workflow `train_stock_model` runs this command daily; MLflow holds what comes of it. A time means
    what was recorded up to then (UTC where it names no zone).

    Examples:

    - `foretick train`
    - `foretick train --families arima --if-needed`
    - `foretick train --as-of 2012-06-29T21:00`
    - `foretick train --as-of "$(foretick train --freeze | tail -n 1)"`
    - `foretick train --share 3/20 --as-of OFFSETS`
    """
    here()
    from forecasting.models.tasks import Share
    from forecasting.training.command import as_of_named, families_named, run_training

    chosen, until = _read(families_named, families), _read(as_of_named, as_of)
    code = run_training(
        chosen,
        as_of=until,
        freeze=freeze,
        if_needed=if_needed,
        register_only=register_only,
        shares=shares,
        share=_read(Share.from_text, share) if share else None,
    )
    raise typer.Exit(code)


def backtest(
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bars from a CSV file or a folder, not the log.")
    ] = None,
    as_of: Annotated[
        str, typer.Option("--as-of", "--offsets", metavar="TIME|OFFSETS", help="This part of the log only.")
    ] = "",
    families: Annotated[str, typer.Option(metavar="LIST", help="all, or some: naive,lstm.")] = "all",
    sessions: Annotated[int, typer.Option(min=1, help="Last sessions that are scored.")] = 252,
    warm_up: Annotated[int, typer.Option(min=0, help="Sessions before them, for the calibration only.")] = 0,
    embargo: Annotated[int, typer.Option(min=0, help="Sessions between what is learned and the first origin.")] = 5,
    refit: Annotated[str, typer.Option(metavar="N|once", help="Learn again after N sessions, or once.")] = "once",
    registered: Annotated[
        bool, typer.Option("--registered", help="Ask the versions that were trained on these bars; fit nothing.")
    ] = False,
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="End at once if MLflow has this very backtest: models, bars, folds.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the HTML report goes.")] = None,
    mlflow: Annotated[bool, typer.Option(help="Log figures and report to MLflow, if it answers.")] = True,
    share: Annotated[
        str, typer.Option(metavar="3/20", help="Do one share of it (with --registered), for who asks for all.")
    ] = "",
) -> None:
    """Ask all families side by side at rolling origins, and score them against the random walk.

    Prints MASE, RMSSE, sCRPS, MSIS, coverage and skill by sessions ahead with their spread over symbols, raw and
    calibrated online as serving does it, and on how many symbols a family is better or worse beyond noise. A model is
    shown nothing after its origin.

    Examples:

    - `foretick backtest`
    - `foretick backtest --csv prices.csv --families naive,arima --refit 63`
    - `foretick backtest --as-of 2012-06-29T21:00 --sessions 120`
    """
    if refit != "once" and not refit.isdigit():
        raise typer.BadParameter("--refit takes a number of sessions, or once")
    if share and not registered:
        raise typer.BadParameter("--share goes with --registered: else each share would fit the models again")
    here()
    from forecasting.backtest.command import BacktestOptions
    from forecasting.backtest.command import backtest as run
    from forecasting.models.tasks import Share
    from forecasting.training.command import as_of_named, families_named

    options = BacktestOptions(
        csv=csv,
        as_of=_read(as_of_named, as_of),
        families=_read(families_named, families),
        sessions=sessions,
        warm_up=warm_up,
        embargo=embargo,
        refit=0 if refit == "once" else int(refit),
        registered=registered,
        if_needed=if_needed,
        out=out,
        mlflow=mlflow,
        share=_read(Share.from_text, share) if share else None,
    )
    raise typer.Exit(run(options))


def models(
    decisions: Annotated[int, typer.Option(min=0, help="How many of the newest decisions to show.")] = 5,
) -> None:
    """List the registered versions with their aliases and scores, and the newest decisions with their reasons.

    Examples:

    - `foretick models`
    - `foretick models --decisions 20`
    """
    here()
    quiet()
    from forecasting.settings import ForecastingSettings
    from stack.commands.models import print_models

    raise typer.Exit(print_models(ForecastingSettings(), decisions, terminal()))


def promote(
    version: Annotated[str, typer.Argument(help="A registered version; `foretick models` lists them.")],
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it goes into the log.")],
    alias: Annotated[str, typer.Option(help="champion, or the version's own family.")] = "champion",
    person: Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides; default: you.")] = "",
) -> None:
    """Let an alias point at a version because a person says so; rolling back is the same.

    The decision goes to the log as `ModelPromoted` with your name and reason, and serving takes it up within seconds.
    The next training compares its versions with this one.

    Examples:

    - `foretick promote 4 --because "the new one is too narrow around earnings"`
    - `foretick promote 3 --alias lstm --because "back to before the change of width"`
    """
    here()
    quiet()
    from forecasting.settings import ForecastingSettings
    from stack.commands.models import move_alias

    code = move_alias(ForecastingSettings(), version, alias, person or getpass.getuser(), because, terminal())
    raise typer.Exit(code)


def reproduce(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="An MLflow run id, or a forecast id.")],
) -> None:
    """Do a training or a forecast again from the log, and say whether it comes out the same.

    Of a run, the training set is read again by its offsets and its SHA-256 compared; then the family is trained again
    and its metrics are compared. Of a forecast, its inputs are read again, the registered version is asked again, and
    every price is compared. The exit code is 0 when equal, 1 when not, 2 when it cannot be told.

    Examples:

    - `foretick reproduce 3f2b8c1d5e6f47a8b9c0d1e2f3a4b5c6`
    - `foretick reproduce 0b6f9a52-6a0e-5c0e-9c3d-0c6d0f3f7a11`
    """
    here()
    from forecasting.reproduce.command import identifier as known
    from forecasting.reproduce.command import run_reproduction

    raise typer.Exit(run_reproduction(_read(known, identifier)))


def drift(
    only_unanswered: Annotated[
        bool, typer.Option("--unanswered", help="Only those no training has answered; the newest one's id last.")
    ] = False,
) -> None:
    """Show where live coverage or skill has left its band, or returns have shifted.

    The scoring service raises and clears these alarms; the Airflow workflow `retrain_on_drift` starts a training on
    those that wait. With `--unanswered` the exit code is 99 when none waits.

    Examples:

    - `foretick drift`
    - `foretick drift --unanswered && foretick train`
    """
    here()
    quiet()
    from forecasting.settings import ForecastingSettings
    from stack.commands.drift import print_alarms

    raise typer.Exit(print_alarms(ForecastingSettings(), only_unanswered, terminal()))


def _read(parse: Callable[[str], _Read], text: str) -> _Read:
    """Read what an option says; a text that cannot be read is bad usage."""
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
