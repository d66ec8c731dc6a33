"""The `foretick` command: what each part does lies elsewhere and is imported only by the command that needs it."""

import os
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any

import typer

from stack.cli import models
from stack.cli.backup import backup, restore
from stack.cli.contracts import contracts
from stack.cli.dlq import dlq
from stack.cli.epoch import new_epoch
from stack.cli.rebuild import rebuild
from stack.cli.snapshot import snapshots
from stack.cli.tokens import tokens
from stack.terminal import here, quiet, say, terminal

app = typer.Typer(
    name="foretick",
    help="Event-sourced market forecasts on your machine: Kafka, a schema registry, MongoDB, MLflow, Airflow and "
    "Foretick's own services, started and looked after by one command.",
    epilog="Everything lies in FORETICK_HOME (default .foretick); FORETICK_PORT_OFFSET=100 moves every port.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(contracts, name="contracts")
app.add_typer(dlq, name="dlq")
app.add_typer(tokens, name="token")
app.add_typer(snapshots, name="snapshot")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"foretick {version('foretick')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Tell the version and leave.")
    ] = False,
) -> None:
    """Take the options that stand before every command."""


@app.command()
def up(
    only: Annotated[str, typer.Option(metavar="LIST", help="Only these, comma separated.")] = "",
    without: Annotated[str, typer.Option(metavar="LIST", help="All but these.")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Return once all is up.")] = False,
    no_train: Annotated[bool, typer.Option("--no-train", help="Do not train the first models.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="First forget the log, models and snapshots.")] = False,
) -> None:
    """Start everything and keep it running until Ctrl-C.

    Servers start first, then topics and schemas are made, then Foretick's services. The first time, history is
    backfilled and Airflow trains the first models; later, all resumes where it was. A process that dies is
    started again.

    Examples:

    - `foretick up`
    - `foretick up --detach` and later `foretick down`
    - `foretick up --without airflow --no-train`
    - `foretick up --fresh`, when the replay has come to its end
    - `foretick up --only kafka,registry,mongodb,mlflow`
    - `FORETICK_PORT_OFFSET=100 FORETICK_HOME=/tmp/second foretick up`
    """
    from stack.cli.failures import EXPECTED, exit_code
    from stack.run.up import UpOptions
    from stack.run.up import up as start
    from stack.services.table import chosen_services

    console, layout = terminal(), here()
    try:
        names = frozenset(chosen_services(only, without))
        code = start(layout, UpOptions(names=names, detach=detach, train=not no_train, fresh=fresh), console)
    except EXPECTED as problem:
        console.print(str(problem), style="red")
        raise typer.Exit(exit_code(problem)) from None
    except KeyboardInterrupt:
        code = 0
    raise typer.Exit(code)


@app.command()
def down() -> None:
    """Stop everything of this FORETICK_HOME, and what a crash left behind.

    Examples:

    - `foretick down`
    - `FORETICK_HOME=/tmp/second foretick down`
    """
    from stack.run.up import down as stop

    console, layout = terminal(), here()
    stopped = stop(layout, console)
    console.print("Stopped." if stopped else f"Nothing was running from {layout.home}.")


@app.command()
def status(
    partitions: Annotated[bool, typer.Option("--partitions", help="The read models partition by partition.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: services, end offsets, lags.")] = False,
) -> None:
    """Show each service, how far the read models lag behind the log, and what the vendor last answered.

    The exit code is 0 when everything that should run answers, else 1.

    Examples:

    - `foretick status`
    - `foretick status --partitions`
    - `foretick status --json | jq .projections`
    - `watch -c foretick status`
    """
    if as_json:
        import json

        layout = here()
        from stack.commands.status_json import status_json

        quiet()
        told, healthy = status_json(layout)
        typer.echo(json.dumps(told, indent=2))
        raise typer.Exit(0 if healthy else 1)
    from stack.commands.status import print_status as show

    raise typer.Exit(show(here(), terminal(), partitions=partitions))


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help="A service, or supervisord or web-build.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines from the end.")] = 50,
) -> None:
    """Show the end of a service's log.

    Examples:

    - `foretick logs kafka`
    - `foretick logs forecasting -n 200 -f`
    """
    from contracts.files.numbers import printable
    from stack.services.logs import follow_log as following
    from stack.services.logs import last_lines

    layout = here()
    path = layout.log(service)
    if not path.exists():
        known = ", ".join(sorted(found.stem for found in layout.logs.glob("*.log"))) or "none yet"
        typer.echo(f"There is no log of {service} in {layout.logs}; there are: {known}", err=True)
        raise typer.Exit(2)
    for line in last_lines(path, lines):
        typer.echo(printable(line, "\t"))
    try:
        for chunk in following(path) if follow else ():
            typer.echo(printable(chunk, "\n\t"), nl=False)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def topics(
    name: Annotated[str, typer.Argument(help="A topic; without it, all are listed.")] = "",
    tail: Annotated[int, typer.Option(min=1, help="How many of the newest events.")] = 3,
    mend: Annotated[bool, typer.Option("--mend", help="Make every topic keep all its events.")] = False,
) -> None:
    """Show every Kafka topic, or the newest events of one, decoded from Avro.

    `--mend` takes back a retention or compaction that somebody has set, and gives a topic that is empty the partitions
    that it lacks.

    Examples:

    - `foretick topics`
    - `foretick topics stock-forecasts --tail 1`
    - `foretick topics stock-data.dlq`, which is `foretick dlq list stock-data --all`
    """
    here()
    from stack.commands.topics import NoSuchTopic, print_tail, print_topics
    from streaming.damage import LogUnsound
    from streaming.errors import ServerAway
    from streaming.settings import StreamSettings

    quiet()
    console = terminal()
    try:
        if mend:
            from streaming.fitness import mend as keep

            for done in keep(StreamSettings()) or ["Every topic is as it must be, or needs a new epoch."]:
                console.print(done)
        elif name.endswith(".dlq"):
            from stack.commands.dead_letters import dead_letter_topics, print_list

            print_list(StreamSettings(), dead_letter_topics(name), True, console)
        elif name:
            print_tail(StreamSettings(), name, tail, console)
        else:
            print_topics(StreamSettings(), console)
    except (ServerAway, LogUnsound, NoSuchTopic) as problem:
        say(problem, terminal(stderr=True))
        raise typer.Exit(2 if isinstance(problem, NoSuchTopic) else 1) from None


@app.command()
def ingest(
    source: Annotated[str, typer.Option(help="yahoo, alphavantage, rest or csv, instead of FORETICK_SOURCE.")] = "",
    symbols: Annotated[str, typer.Option(metavar="LIST", help="Instead of FORETICK_SYMBOLS, comma separated.")] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="From this day on; else all there is.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Publish nothing: show what would be, and what is refused and why.")
    ] = False,
) -> None:
    """Fetch every symbol's history once, in the foreground, and publish what the log does not hold.

    Keys and addresses of sources are settings (FORETICK_ALPHAVANTAGE_KEY, FORETICK_CSV_PATH, ...); see `.env.example`.
    A dry run needs no log: where none answers, all that is sound counts as new.

    Examples:

    - `foretick ingest`
    - `foretick ingest --symbols AAPL,IBM --since 2010-12-01`
    - `FORETICK_CSV_PATH=prices/ foretick ingest --source csv --symbols ACME --dry-run`
    """
    if source:  # before the layout: only the replay has a clock of its own
        os.environ["FORETICK_SOURCE"] = source
    here()
    from producers.publishing import Stopped
    from producers.settings import ProducerSettings
    from producers.sources.base import VendorRefused
    from stack.commands.ingest import dry_run as show
    from stack.commands.ingest import ingest_and_show as fetch
    from streaming.damage import LogUnsound
    from streaming.errors import ServerAway

    quiet()
    wishes: dict[str, Any] = {"symbols": symbols} if symbols else {}
    settings = ProducerSettings(**wishes)
    moment = since.replace(tzinfo=UTC) if since else None
    try:
        code = (show if dry_run else fetch)(settings, terminal(), moment)
    except (ServerAway, LogUnsound, VendorRefused, Stopped) as problem:
        say(problem, terminal(stderr=True))
        raise typer.Exit(1) from None
    raise typer.Exit(code)


app.command()(models.train)
app.command()(models.backtest)
app.command()(models.models)
app.command()(models.promote)
app.command()(models.reproduce)
app.command()(models.drift)


app.command()(backup)
app.command()(restore)
app.command()(rebuild)
app.command()(new_epoch)
