"""Show a training's own progress: its stages as lines, its epochs in the status."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape

# As `forecasting.training.progress` writes it where no terminal is: seconds, two spaces, the text; epochs are indented
# further.
_LINE = re.compile(r"^ *\d+\.\d s  (?P<indent> *)(?P<text>.*)$")


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
            if line in self._seen or not (found := _LINE.match(line)):
                continue
            self._seen.add(line)
            if found["indent"]:
                self._epoch = found["text"]
                self.note("")
            else:
                self._epoch = ""
                self._console.print(f"    {line.strip()}")

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
