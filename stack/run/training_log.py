"""Show a training's own progress: its stages as lines, its epochs in the status."""

import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape


class StageLog:
    """Takes a growing list of log lines and shows what is new in it."""

    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title
        self._status = console.status(title)
        self._seen: set[str] = set()
        self._epoch = ""

    def take(self, lines: Iterable[str]) -> None:
        """Show those lines that were not there before."""
        for line in lines:
            if line in self._seen or not (told := _told(line)):
                continue
            self._seen.add(line)
            self._epoch = str(told.get("epoch", ""))
            if "stage" in told:
                self._console.print(f"    {told['seconds']:6.1f} s  {told['stage']}")
            else:
                self.note("")

    def note(self, text: str) -> None:
        """Say beside the title what goes on."""
        self._status.update(escape("   ".join(part for part in (self._title, self._epoch or text) if part)))

    def __enter__(self) -> Self:
        self._console.print(f"  {self._title}")
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()


def _told(line: str) -> dict[str, Any]:
    """Read a line of `forecasting.training.progress.JsonProgress`; nothing of any other."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) and "seconds" in told else {}


def airflow_lines(folder: Path) -> list[str]:
    """Return what the tasks of a run printed, from Airflow's JSON logs, as far as they are written."""
    lines = []
    for log in sorted(folder.glob("task_id=*/**/attempt=*.log"), key=lambda path: path.stat().st_mtime):
        for line in log.read_text(errors="replace").splitlines():
            try:
                lines.append(str(json.loads(line)["event"]))
            except (ValueError, KeyError, TypeError):  # half written, or not a log entry
                continue
    return lines
