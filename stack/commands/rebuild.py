"""Rebuild read models from the log, show how it goes, and say what differed."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

import projections.asof
from forecasting.settings import ForecastingSettings
from producers.ledger import Ledger
from producers.settings import ProducerSettings
from projections.answers import Superseded
from projections.asof import NoSuchMoment, PastState, moment_of
from projections.read_models.table import read_model
from projections.rebuild import RebuildRefused, RebuildReport, rebuild
from projections.settings import ProjectionSettings
from stack.terminal import say
from streaming.catching_up import KafkaLog, ReadableLog
from streaming.errors import ServerAway
from streaming.saved_state import SavedState, Verified


def rebuild_all(
    names: Sequence[str], console: Console, *, verify_only: bool, accept_difference: bool, skip_dead: bool
) -> int:
    """Rebuild read models one after another; return 0 if each was equal or took over."""
    settings = ProjectionSettings()
    code = 0
    for name in names:
        try:
            with progress_bar(console) as progress:
                task = progress.add_task(name, total=None)
                report = rebuild(
                    settings,
                    name,
                    verify_only=verify_only,
                    accept_difference=accept_difference,
                    skip_dead=skip_dead,
                    progress=lambda done, total: progress.update(task, completed=done, total=total),  # noqa: B023 - used at once
                )
        except (RebuildRefused, Superseded, ServerAway) as problem:  # one answer that was late spoils not the others
            say(problem, console)
            code = 1
            continue
        console.print(describe_rebuild(report, verify_only))
        if not (report.equal or report.took_over):
            code = 1
    return code


def verify_saved_states(console: Console) -> int:
    """Fold again what services have saved of the log, and compare; return 0 if each part was the same."""
    folder = ProducerSettings().home / "state"
    if not folder.is_dir():
        return 0
    code, services = 0, {"producers": _verify_producers, "serving": _verify_serving, "scoring": _verify_scoring}
    for service, verify in services.items():
        try:
            with console.status(f"Folding again what {service} has saved"):
                parts = list(verify())
        except ServerAway as problem:
            say(problem, console)
            code = 1
            continue
        events = sum(part.events for part in parts)
        if different := [str(part.number) for part in parts if not part.equal]:
            console.print(
                f"saved by {service}: DIFFERENT in partition {', '.join(different)} from what {events} events give. "
                f"Stop the system and remove {folder}: the log is folded again.",
                style="red",
            )
            code = 1
        else:
            console.print(f"saved by {service}: {len(parts)} parts are what {events} events give.")
    return code


def _verify_producers() -> Iterator[Verified]:
    return Ledger(ProducerSettings()).verify()


def _verify_serving() -> Iterator[Verified]:
    from forecasting.serving.state import serving_state  # takes a second to import

    return _verified(serving_state)


def _verify_scoring() -> Iterator[Verified]:
    from forecasting.scoring.state import scoring_state

    return _verified(scoring_state)


def _verified(saved: Callable[[ForecastingSettings, ReadableLog], SavedState[Any]]) -> Iterator[Verified]:
    settings = ForecastingSettings()
    state = saved(settings, KafkaLog(settings))
    try:
        state.take()
        yield from state.verify()
    finally:
        state.close()


class _Rate(ProgressColumn):
    """How many events a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} events/s" if task.speed else "")


def progress_bar(console: Console) -> Progress:
    """Return a progress bar of events: how many, how fast, how long still."""
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)


def reading_progress(shown: Progress) -> Callable[[str, int, int], None]:
    """Return what shows in a bar how much of each topic is read: called with topic, messages read, messages in all."""
    tasks: dict[str, TaskID] = {}

    def show(topic: str, done: int, total: int) -> None:
        if topic not in tasks:
            tasks[topic] = shown.add_task(topic, total=total)
        shown.update(tasks[topic], completed=done)

    return show


def print_state_as_of(
    names: Sequence[str], moment: str, console: Console, *, export: Path | None, expect: str, skip_dead: bool
) -> int:
    """Build read models as they were and describe them; return 1 if one could not be, or is not the one expected."""
    settings = ProjectionSettings()
    code = 0
    for name in names:
        try:
            position = moment_of(settings, read_model(name), moment)
            with progress_bar(console) as progress:
                task = progress.add_task(name, total=None)
                state = projections.asof.state_as_of(
                    settings,
                    name,
                    position,
                    export=export,
                    skip_dead=skip_dead,
                    progress=lambda done, total: progress.update(task, completed=done, total=total),  # noqa: B023 - used at once
                )
        except (RebuildRefused, NoSuchMoment, ServerAway, OSError) as problem:
            say(problem, console)
            code = 1
            continue
        console.print(describe_past(state))
        if export:
            console.print(f"Written to {export}.")
        if expect and state.sha256 != expect:
            console.print(f"EXPECTED hash {expect}.", style="red")
            code = 1
    return code


def describe_past(state: PastState) -> str:
    """Say in words what a read model was."""
    counts = f"applied {state.applied} + fenced {state.fenced} + dead {state.dead}"
    offsets = json.dumps({topic: dict(sorted(ends.items())) for topic, ends in state.position.items()})
    return (
        f"{state.name}: read {state.read} = {counts} in {state.seconds:.1f} s\n"
        f"as of {offsets}\n"
        f"{state.documents} documents, hash {state.sha256}"
    )


def describe_rebuild(report: RebuildReport, verify_only: bool) -> str:
    """Say in words what a rebuild found and did."""
    lines = [
        f"{report.name}: read {report.read} = applied {report.applied} + fenced {report.fenced} + dead {report.dead}"
        f" in {report.seconds:.1f} s; the live one stood still for {report.paused_seconds:.2f} s."
    ]
    found = report.comparison
    if found is None:
        lines.append("There was nothing to compare with.")
    elif found.equal:
        lines.append(f"Equal: {found.live_documents} documents, hash {found.live_hash}.")
    else:
        lines.append(
            f"DIFFERENT in {found.differing} documents: live {found.live_documents}, hash {found.live_hash}; "
            f"rebuilt {found.rebuilt_documents}, hash {found.rebuilt_hash}."
        )
        for identity, differences in found.differences.items():
            lines.extend(f"  {identity}: {difference}" for difference in differences)
    if report.took_over:
        lines.append("The rebuilt one took over.")
    elif report.equal:
        lines.append("The live one stays: the rebuilt one is the same.")
    elif verify_only:
        lines.append("The live one was left as it is (--verify-only).")
    else:
        lines.append("The live one was left as it is. If the projection was changed on purpose: --accept-difference")
    return "\n".join(lines)
