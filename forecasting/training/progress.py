"""Let whoever waits for a training see how far it is: a live bar on a terminal, lines elsewhere."""

import json
import os
import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from forecasting.models.base import Epoch


class TrainingProgress(Protocol):
    """What a training tells while it runs."""

    def stage(self, text: str) -> None:
        """Say what begins now."""

    def epoch(self, family: str, epoch: Epoch) -> None:
        """Say that a family finished an epoch (ARIMA: a symbol)."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class PlainProgress:
    """Lines with the seconds since the start, for logs."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def stage(self, text: str) -> None:
        self._say(text)

    def epoch(self, family: str, epoch: Epoch) -> None:
        self._say(f"  {_epoch(family, epoch)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say("failed" if kind else "done")

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:7.1f} s  {text}", file=sys.stderr, flush=True)


class JsonProgress:
    """JSON lines, for the program that started this one: `{"seconds": 1.2, "stage": ...}`, `{..., "epoch": ...}`."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def stage(self, text: str) -> None:
        self._say(stage=text)

    def epoch(self, family: str, epoch: Epoch) -> None:
        self._say(epoch=_epoch(family, epoch))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say(stage="failed" if kind else "done")

    def _say(self, **told: str) -> None:
        line = json.dumps({"seconds": round(time.monotonic() - self._began, 1), **told})
        print(line, file=sys.stderr, flush=True)


class RichProgress:
    """A live bar with the stage, its epochs and their losses."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[losses]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("starting", total=None, losses="")

    def stage(self, text: str) -> None:
        self._end_task()
        self._task = self._progress.add_task(text, total=None, losses="")

    def epoch(self, family: str, epoch: Epoch) -> None:
        self._progress.update(self._task, total=epoch.of, completed=epoch.number, losses=_losses(epoch))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_task()
        self._progress.stop()

    def _end_task(self) -> None:
        task = next(task for task in self._progress.tasks if task.id == self._task)
        total = max(task.completed, 1)  # an early stop is an end too
        self._progress.update(self._task, total=total, completed=total)


def progress_for(interactive: bool) -> TrainingProgress:
    """Return the progress that suits where output goes; `FORETICK_PROGRESS=json` asks for JSON lines."""
    if os.environ.get("FORETICK_PROGRESS") == "json":
        return JsonProgress()
    return RichProgress() if interactive else PlainProgress()


def _epoch(family: str, epoch: Epoch) -> str:
    return f"{family}: {epoch.number} of {epoch.of}{_losses(epoch)}"


def _losses(epoch: Epoch) -> str:
    if epoch.loss != epoch.loss:  # not a number: a family without losses
        return ""
    return f", loss {epoch.loss:.4f}, on later sessions {epoch.val_loss:.4f}"
