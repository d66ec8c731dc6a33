"""The projections service: one consumer loop a read model, all in one process, and what watches over them."""

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog

from contracts.topics import Topic
from projections.folds import ReadModel
from projections.mongo import Store
from projections.read_models.table import READ_MODELS
from projections.settings import ProjectionSettings
from projections.sink import ReadModelSink
from projections.snapshots.schedule import PeriodicSnapshots
from projections.statuses import partition_rows
from streaming.admin import NotReady, await_kafka
from streaming.loop import Loop
from streaming.reader import LogAway, topic_epoch
from streaming.sink import Away

log = structlog.get_logger()

_ATTEND_SECONDS = 0.25  # from one look at a rebuild that may ask for a pause to the next
_IDLE_ROUNDS = 4  # between two looks where none is under way
_EPOCH_ROUNDS = 40  # rounds of attending between two looks at the topics' epochs
_END_SECONDS = 3.5  # for all threads together: a batch that is not finished by then is dropped, and read again
_GOODBYE_SECONDS = 0.5


class Projections:
    """Runs read models until told to stop, or until one of them meets a bug."""

    def __init__(self, settings: ProjectionSettings, models: tuple[ReadModel, ...] = READ_MODELS) -> None:
        self._settings = settings
        self._store = Store(settings)
        instance = uuid4().hex
        self._sinks = {model.name: ReadModelSink(settings, self._store, model, instance) for model in models}
        # Of all loops that read a topic, the first one in the table buries what nobody can read: one dead letter each.
        undertakers = {topic.name: model.name for model in reversed(models) for topic in model.topics}
        self._loops = {
            model.name: Loop(
                settings,
                f"foretick.{model.name}",
                model.topics,
                self._sinks[model.name],
                buries=[topic for topic in model.topics if undertakers[topic.name] == model.name],
            )
            for model in models
        }
        self._snapshots = PeriodicSnapshots(self._store, settings.snapshot_folder, settings.snapshot_seconds)
        self._waiting = "the projections are starting"
        self._failed: list[str] = []

    def run(self, stop: threading.Event) -> int:
        """Run until `stop` is set; return the exit code: 1 if anything ended by itself."""
        self._await_topics(stop)
        work: dict[str, Callable[[threading.Event], None]] = {name: loop.run for name, loop in self._loops.items()}
        work["attend"] = self._attend
        if self._settings.snapshot_seconds:
            work["snapshots"] = self._snapshots.run
        threads = [
            threading.Thread(target=self._guard, args=(name, task, stop), name=name, daemon=True)
            for name, task in work.items()
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        began = time.monotonic()
        deadline = began + _END_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        goodbye = threading.Thread(target=self._leave, name="goodbye", daemon=True)
        goodbye.start()
        goodbye.join(max(_GOODBYE_SECONDS, deadline - time.monotonic()))
        # A snapshot is staged: cut off anywhere, the earlier one is whole.
        late = [thread.name for thread in threads if thread.is_alive() and thread.name != "snapshots"]
        # The broker may be away, or just back: the group then finds by itself that a member is gone.
        if leaving := [name for name in late if name in self._loops and self._loops[name].state.leaving]:
            log.warning("left without a goodbye to the broker", threads=leaving)
        if late := [name for name in late if name not in leaving]:
            log.error("did not end in time", threads=late)
            return 1
        log.info("stopped", seconds=round(time.monotonic() - began, 1))
        return 1 if self._failed else 0

    def status(self) -> dict[str, Any]:
        """Return where each read model stands, partition by partition."""
        return {
            "read_models": [
                {
                    "name": name,
                    "waiting_for": loop.state.waiting_for,
                    "paused_for_rebuild": bool(self._sinks[name].paused_for),
                    "lag": loop.state.lag,
                    "partitions": partition_rows(self._sinks[name].held, loop.state),
                }
                for name, loop in self._loops.items()
            ],
            "snapshots": {
                "folder": str(self._settings.snapshot_folder),
                "rows": self._snapshots.last.rows if self._snapshots.last else 0,
                "position": self._snapshots.last.position if self._snapshots.last else {},
                "failure": self._snapshots.failure,
            },
            "failed": self._failed,
        }

    def reasons(self) -> list[str]:
        """Return why the service is not doing its work now; empty when it is."""
        waiting = [f"{name}: {loop.state.waiting_for}" for name, loop in self._loops.items() if loop.state.waiting_for]
        return [*([self._waiting] if self._waiting else []), *waiting, *self._failed]

    def _await_topics(self, stop: threading.Event) -> None:
        """Wait for the broker and for the topics: a consumer that subscribes too early looks again only much later."""
        topics: set[Topic] = {topic for sink in self._sinks.values() for topic in sink.model.topics}
        told = ""
        while not stop.is_set():
            try:
                await_kafka(self._settings, timeout=5)
                for topic in sorted(topics, key=lambda topic: topic.name):
                    topic_epoch(self._settings, topic)
            except (NotReady, LogAway, TimeoutError) as error:
                self._waiting = str(error)
                if self._waiting != told:
                    log.info("waiting for the topics", reason=self._waiting)
                told = self._waiting
                stop.wait(0.5)
            else:
                self._waiting = ""
                return

    def _guard(self, name: str, task: Callable[[threading.Event], None], stop: threading.Event) -> None:
        """Run a task; one that ends by an error ends the process, so that nothing stands still unseen."""
        try:
            task(stop)
        except Exception as error:
            notes = "; ".join(getattr(error, "__notes__", []))
            self._failed.append(f"{name}: {type(error).__name__}: {error} {notes}".strip())
            log.exception("stopping: a projection failed", task=name, notes=notes)
            stop.set()

    def _attend(self, stop: threading.Event) -> None:
        """Keep up the writers' presence, and let rebuilds take over."""
        away = ""
        rounds = 0
        while not stop.wait(_ATTEND_SECONDS):
            rounds += 1
            try:
                for sink in self._sinks.values():
                    if sink.being_rebuilt or rounds % _IDLE_ROUNDS == 0:
                        sink.attend()
                    if rounds % _EPOCH_ROUNDS == 0:
                        sink.check_epochs()
                away = ""
            except Away as error:
                if not away:
                    log.warning("cannot attend to rebuilds now", reason=str(error))
                away = str(error)

    def _leave(self) -> None:
        try:
            for sink in self._sinks.values():
                sink.close()
        except Away as error:  # rebuilds will take this writer for dead in a while
            log.info("could not say goodbye", reason=str(error))
        self._store.close()
