"""The projections service: one consumer loop a read model, all in one process, and what watches over them."""

import threading
import time
from typing import Any
from uuid import uuid4

import structlog

from projections.folds import ReadModel
from projections.mongo import Store
from projections.read_models.table import READ_MODELS
from projections.settings import ProjectionSettings
from projections.sink import ReadModelSink
from projections.snapshots.schedule import PeriodicSnapshots
from projections.statuses import partition_rows
from streaming.admin import await_topics
from streaming.catching_up import KafkaLog
from streaming.errors import StoreAway
from streaming.loop import Loop
from streaming.threads import Threads

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
        self._snapshots = PeriodicSnapshots(
            self._store, KafkaLog(settings), settings.snapshot_folder, settings.snapshot_seconds
        )
        self._waiting = "the projections are starting"
        self._threads = Threads(threading.Event())

    def run(self, stop: threading.Event) -> int:
        """Run until `stop` is set; return the exit code: 1 if anything ended by itself."""
        topics = {topic for sink in self._sinks.values() for topic in sink.model.topics}
        await_topics(self._settings, sorted(topics, key=lambda topic: topic.name), stop, self._tell)
        self._threads = Threads(stop)
        for name, loop in self._loops.items():
            self._threads.start(name, loop.run)
        self._threads.start("attend", self._attend)
        if self._settings.snapshot_seconds:
            self._threads.start("snapshots", self._snapshots.run)
        stop.wait()
        began = time.monotonic()
        late = self._threads.join(_END_SECONDS)
        goodbye = threading.Thread(target=self._leave, name="goodbye", daemon=True)
        goodbye.start()
        goodbye.join(max(_GOODBYE_SECONDS, began + _END_SECONDS - time.monotonic()))
        # A snapshot is staged: cut off anywhere, the earlier one is whole.
        late = [name for name in late if name != "snapshots"]
        # The broker may be away, or just back: the group then finds by itself that a member is gone.
        if leaving := [name for name in late if name in self._loops and self._loops[name].state.leaving]:
            log.warning("left without a goodbye to the broker", threads=leaving)
        if late := [name for name in late if name not in leaving]:
            log.error("did not end in time", threads=late)
            return 1
        log.info("stopped", seconds=round(time.monotonic() - began, 1))
        return 1 if self._threads.failed else 0

    def status(self) -> dict[str, Any]:
        """Return where each read model stands, partition by partition."""
        return {
            "read_models": [
                {
                    "name": name,
                    "waiting_for": loop.state.waiting_for,
                    "paused_for_rebuild": bool(self._sinks[name].paused_for),
                    "lag": loop.state.lag,
                    "caught_up": loop.state.caught_up,
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
            "failed": self._threads.failed,
        }

    def reasons(self) -> list[str]:
        """Return why the service is not doing its work now; empty when it is."""
        waiting = [f"{name}: {loop.state.waiting_for}" for name, loop in self._loops.items() if loop.state.waiting_for]
        return [*([self._waiting] if self._waiting else []), *waiting, *self._threads.failed]

    def _tell(self, why: str) -> None:
        self._waiting = why

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
            except StoreAway as error:
                if not away:
                    log.warning("cannot attend to rebuilds now", reason=str(error))
                away = str(error)

    def _leave(self) -> None:
        try:
            for sink in self._sinks.values():
                sink.close()
        except StoreAway as error:  # rebuilds will take this writer for dead in a while
            log.info("could not say goodbye", reason=str(error))
        self._store.close()
