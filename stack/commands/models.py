"""Show the registered versions and the decisions on them; carry out a person's decision."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.table import Table

from contracts.events import ModelPromoted
from forecasting.data import history
from forecasting.modelstore.registry import ModelRegistry, NoModel, Version
from forecasting.settings import ForecastingSettings
from forecasting.training.promote import promote
from forecasting.training.promotions import NoEvidence
from stack.terminal import say
from streaming.damage import LogUnsound
from streaming.errors import ServerAway
from streaming.publisher import PublishFailed

_SCORES = ("mase", "scrps", "coverage_80", "coverage_95")


def print_models(settings: ForecastingSettings, decisions: int, console: Console) -> int:
    """Print versions and decisions; return the exit code."""

    def work() -> None:
        registry = ModelRegistry(settings)
        console.print(_versions(registry.versions(), registry.aliases()))
        events = history.decisions(settings)
        for event in events[len(events) - decisions :]:
            console.print("\n".join(_told(event)))

    return _carried_out(work, console)


def move_alias(
    settings: ForecastingSettings, version: str, alias: str, person: str, because: str, console: Console
) -> int:
    """Let an alias point at a version; return the exit code."""
    if not because.strip():
        console.print("--because must say why", style="red")
        return 2

    def work() -> None:
        said = promote(settings, version, person=person, because=because, alias=alias)
        console.print(said)

    return _carried_out(work, console)


def _carried_out(work: Callable[[], None], console: Console) -> int:
    try:
        work()
    except (NoModel, NoEvidence, ServerAway, LogUnsound, PublishFailed) as problem:
        say(problem, console)
        return 2 if isinstance(problem, (NoModel, NoEvidence)) else 1
    return 0


def _versions(versions: Iterable[Version], aliases: dict[str, str]) -> Table:
    pointing = defaultdict(list)
    for alias, number in aliases.items():
        pointing[number].append(alias)
    table = Table(title="Registered versions, newest first", title_justify="left")
    for column in ("version", "family", "aliases", *_SCORES, "learned until", "data", "run"):
        numeric = column in (*_SCORES, "version")
        # A run's id is there to be copied: `foretick reproduce` takes it.
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for found in versions:
        tags = found.tags
        table.add_row(
            found.version,
            found.family,
            ", ".join(sorted(pointing[found.version])),
            *(f"{float(tags[name]):.4f}" if name in tags else "" for name in _SCORES),
            tags.get("learned_until", "")[:10],
            tags.get("training_sha256", "")[:8],
            found.run_id,
        )
    return table


def _told(event: ModelPromoted) -> list[str]:
    what = "moved to" if event.moved else "stays at"
    lines = [
        f"{event.decided_at:%Y-%m-%d %H:%M:%S}  {event.alias} {what} {event.version} ({event.family}), "
        f"before: {event.previous_version or 'none'}; {event.decided_by}",
        f"    {event.reason}",
    ]
    for refusal in event.refused or ():
        lines.append(f"    refused {refusal.family} {refusal.version}: {'; '.join(refusal.reasons)}")
    return lines
