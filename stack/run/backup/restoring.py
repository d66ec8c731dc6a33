"""Make a home of a backup."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from stack.layout import Layout
from stack.run.backup import registry
from stack.run.backup.manifest import BackupManifest
from stack.run.backup.repository import BackupRefused, Repository
from stack.run.home import HOME_FORMAT, UNFINISHED, record_version
from stack.run.lock import home_taken
from stack.run.starting import start_services
from stack.run.up import down
from stack.services.artifacts import obtain
from stack.services.supervisor import Supervisor
from stack.services.table import services
from streaming.restoring import import_archive

SETTINGS = "restored.env"
RestoreProgress = Callable[[int, int], None]  # bytes done, bytes of all


def check_backup(folder: Path, progress: RestoreProgress = lambda done, total: None) -> BackupManifest:
    """Read a backup through and return its manifest. Raises BackupRefused where it is not what was kept."""
    repository = Repository(folder)
    manifest = _manifest(repository)
    done, total = 0, sum(piece.size for piece in manifest.pieces().values())
    for piece in manifest.pieces().values():
        for chunk in repository.read(piece):
            done += len(chunk)
            progress(done, total)
    return manifest


def restore_home(
    layout: Layout, folder: Path, console: Console, progress: RestoreProgress = lambda done, total: None
) -> BackupManifest:
    """Make an empty home what a backup holds: files first, then the registry, which is started for it.

    Raises:
        RestoreRefused: the registry does not take its schemas.
        BackupRefused: the backup is damaged or of a later version, or the home is not empty.
        NotStartable, DidNotStart: the home is in use, or the registry does not start.
        OSError: the home cannot be written.
    """
    repository = Repository(folder)
    manifest = _manifest(repository)
    if manifest.home > HOME_FORMAT:
        raise BackupRefused(f"Foretick {manifest.made_by} made this backup; use that version or a later one.")
    with home_taken(layout):
        _empty(layout)
        done, total = 0, sum(piece.size for file in manifest.files for piece in file.pieces)
        for file in manifest.files:
            path = layout.home / file.path
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            with path.open("wb") as target:
                for piece in file.pieces:
                    for chunk in repository.read(piece):
                        target.write(chunk)
                        done += len(chunk)
                        progress(done, total)
        settings = layout.home / SETTINGS
        settings.touch(mode=0o600)
        settings.write_text("".join(f"{name}={value}\n" for name, value in manifest.settings.items()))
        _bring_in_schemas(layout, manifest, b"".join(repository.read(manifest.registry)), console)
        record_version(layout.home, manifest.home)
        os.sync()
        (layout.home / UNFINISHED).unlink()
    return manifest


def _manifest(repository: Repository) -> BackupManifest:
    manifest = repository.manifest()
    if manifest is None:
        raise BackupRefused(f"{repository.folder} holds no backup.")
    return manifest


def _empty(layout: Layout) -> None:
    """Refuse a home that holds something; mark an empty one, and clear what an unfinished restore has left."""
    mark = layout.home / UNFINISHED
    if not mark.exists():
        for path in layout.state():
            if path.exists() and any(path.iterdir()):
                raise BackupRefused(
                    f"{layout.home} is not empty ({path.name}/). Set it aside, or name another FORETICK_HOME."
                )
    mark.touch()
    for path in (*layout.state(), layout.secrets):
        shutil.rmtree(path, ignore_errors=True)
    for path in layout.private():
        path.mkdir(exist_ok=True, mode=0o700)


def _bring_in_schemas(layout: Layout, manifest: BackupManifest, data: bytes, console: Console) -> None:
    obtain(layout.cache)
    (service,) = (each for each in services(layout) if each.name == "registry")
    supervisor = Supervisor(layout)
    try:
        supervisor.boot([service])
        start_services(layout, supervisor, [service], console)
        import_archive(layout.stream(), data)
        if (found := registry.schemas_of(layout)) != manifest.schemas:
            raise BackupRefused(f"The registry has other ids than it had: {found}, not {manifest.schemas}")
    finally:
        down(layout, console)
