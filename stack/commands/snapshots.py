"""Write and verify snapshots, and say what came of it."""

from pathlib import Path

from rich.console import Console

from projections.asof import NoSuchMoment, moment_of, verify_against_log
from projections.read_models.revisions import REVISIONS
from projections.rebuild import RebuildRefused
from projections.settings import ProjectionSettings
from projections.snapshots.content import MANIFEST, read_manifest
from projections.snapshots.files import NotThere, snapshot
from projections.snapshots.verification import verify
from stack.commands.rebuild import progress_bar
from stack.terminal import say
from streaming.errors import ServerAway

_TOLD = (NotThere, NoSuchMoment, RebuildRefused, ServerAway, OSError)


def write_snapshots(out: Path | None, at: str, console: Console) -> int:
    """Write a snapshot; return 0, or 1 if it could not be."""
    settings = ProjectionSettings()
    try:
        position = None
        if at:
            ((_, position),) = moment_of(settings, REVISIONS, at).items()
        manifest = snapshot(settings, out, position)
    except _TOLD as problem:
        say(problem, console)
        return 1
    where = out or settings.snapshot_folder
    offsets = " ".join(f"{place}:{end}" for place, end in sorted(manifest.position.items()))
    files = f"{len(manifest.files)} files, {manifest.rows} bars, {manifest.topic} at {offsets}"
    console.print(f"{where}: {files}")
    return 0


def verify_snapshots(folder: Path | None, against_log: bool, console: Console) -> int:
    """Verify a snapshot, against the log too if asked; return 0 if nothing is wrong with it."""
    settings = ProjectionSettings()
    where = folder or settings.snapshot_folder
    try:
        if against_log:
            with progress_bar(console) as progress:
                task = progress.add_task("from the log", total=None)
                found = verify_against_log(
                    settings, where, lambda done, total: progress.update(task, completed=done, total=total)
                )
        else:
            found = verify(where)
    except _TOLD as problem:
        say(problem, console)
        return 1
    for fault in found:
        console.print(fault, style="red")
    if found:
        return 1
    manifest = read_manifest((where / MANIFEST).read_bytes())
    proof = "as its manifest says, and as the log says" if against_log else "as its manifest says"
    console.print(f"{where}: {len(manifest.files)} files, {manifest.rows} bars, {proof}.")
    return 0
