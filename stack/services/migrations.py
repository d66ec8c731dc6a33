"""Bring another program's database to the version that is installed: once for each version."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.layout import Layout
from stack.services.service import DidNotStart
from stack.services.sqlite import copy_database


def migrate_once(
    layout: Layout,
    service: str,
    version: str,
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    keep: Path | None = None,
) -> None:
    """Run a command, unless it has done its work for this version already: the stamp in `folder` says so.

    Args:
        keep: a SQLite database that is copied beside itself before, where it exists.

    Raises:
        DidNotStart: it failed; its output is in the service's log.
    """
    stamp = folder / "migrated"
    if stamp.exists() and stamp.read_text() == version:
        return
    kept = ""
    if keep and keep.exists():
        before = keep.with_suffix(".before.db")
        copy_database(keep, before)
        kept = f". It was as {before} is: the version of Foretick that has written to it, or a later one, can use it"
    done = subprocess.run(
        command, cwd=folder, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    layout.log(service).write_text(done.stdout + done.stderr)
    if done.returncode:
        raise DidNotStart(f"{service}: its database could not be brought to {version}. See {layout.log(service)}{kept}")
    stamp.write_text(version)
