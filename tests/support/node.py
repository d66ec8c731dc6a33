"""Run the scripts of `tests/javascript` with the Node that comes as a wheel, their packages as their lock has them."""

import fcntl
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from stack.services.web_build import node

FOLDER = Path(__file__).parents[1] / "javascript"


def run(script: str, *arguments: str, seconds: float = 60) -> Any:
    """Run a script and return the JSON that it prints."""
    _install()
    done = subprocess.run(
        (node()[0] / "node", script, *arguments),
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _install() -> None:
    """Install the packages if the lock is not that of those installed."""
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = FOLDER / "node_modules" / ".foretick-lock"
    binaries, npm = node()
    with (FOLDER / "package.json").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == lock:
            return
        done = subprocess.run(
            (binaries / "node", npm, "ci", "--no-audit", "--no-fund"),
            cwd=FOLDER,
            env=os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        stamp.write_text(lock)
