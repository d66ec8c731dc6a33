"""What the log already holds of bars and corporate actions: the producers' own state, folded from their topics."""

from datetime import datetime

from contracts.events import BarClosed, CorporateActionAnnounced, Event
from contracts.topics import CORPORATE_ACTIONS, STOCK_DATA
from producers.actions import ActionKey, KnownAction, action_key
from producers.bars import KnownBar
from streaming.dead_letters import DeadLetters
from streaming.errors import KafkaAway
from streaming.headers import source_of
from streaming.reader import Tail, read_range, watermarks
from streaming.records import DeadRecord, Partition
from streaming.settings import StreamSettings

PRODUCERS_SOURCE = "/foretick/producers"
_TOPICS = (STOCK_DATA, CORPORATE_ACTIONS)
_PATIENCE = 5.0  # seconds; whoever folds tries again, and wants to hear of a stop in between


class OwnUnreadable(KafkaAway):
    """What the producers wrote themselves cannot be read: without it they would publish again what is in the log."""


class Ledger:
    """Folds the two topics that the producers write, and follows them: `foretick ingest` may write beside us.

    Attributes:
        bars: by bar id.
        actions: by symbol, kind and ex-date.
        last: the newest `closed_at` by symbol and interval.
    """

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._tail: Tail | None = None
        self.bars: dict[str, KnownBar] = {}
        self.actions: dict[ActionKey, KnownAction] = {}
        self.last: dict[tuple[str, str], datetime] = {}

    def fold_log(self) -> int:
        """Forget all and fold the topics from their beginnings; return the number of events.

        Raises:
            KafkaAway, RegistryAway: a server does not answer.
            OwnUnreadable: an event of ours cannot be read, and its dead letter is not settled.
            SchemaLost: the registry has lost the schema of one.
        """
        self.bars.clear()
        self.actions.clear()
        self.last.clear()
        count = 0
        positions: dict[Partition, int] = {}
        for topic in _TOPICS:
            marks = watermarks(self._settings, topic, _PATIENCE)
            start = {partition: low for partition, (low, _) in marks.items()}
            end = {partition: high for partition, (_, high) in marks.items()}
            for record in read_range(self._settings, topic, start, end, on_poison="skip", on_dead=self._pass_over):
                self.fold(record.event)
                count += 1
            positions |= {(topic.name, partition): high for partition, high in end.items()}
        self.close()
        self._tail = Tail(self._settings, _TOPICS, positions, self._pass_over)
        return count

    def follow(self) -> None:
        """Fold what has come since, whoever wrote it.

        Raises:
            OwnUnreadable: an event of ours cannot be read; the log must be folded again.
        """
        while self._tail is not None and (records := self._tail.poll(0)):
            for record in records:
                self.fold(record.event)

    def catch_up(self) -> None:
        """Fold all that is in the log now.

        Raises:
            KafkaAway: the broker does not answer.
            OwnUnreadable: as `follow`.
        """
        if self._tail is not None:
            for record in self._tail.rest(_PATIENCE):
                self.fold(record.event)

    def fold(self, event: Event) -> None:
        """Take note of one event; the highest revision counts, in whatever order they come."""
        if isinstance(event, BarClosed):
            bar = self.bars.get(event.bar_id)
            if bar is None or event.revision >= bar.revision:
                self.bars[event.bar_id] = KnownBar.of(event)
            place = (event.symbol, event.interval)
            self.last[place] = max(self.last.get(place, event.closed_at), event.closed_at)
        elif isinstance(event, CorporateActionAnnounced):
            action = self.actions.get(action_key(event))
            if action is None or event.revision >= action.revision:
                self.actions[action_key(event)] = KnownAction.of(event)

    def _pass_over(self, dead: DeadRecord) -> None:
        """Let go of what others wrote, and of what an operator has settled."""
        if source_of(dead.headers) != PRODUCERS_SOURCE:
            return
        if (dead.topic, dead.partition, dead.offset) in DeadLetters(self._settings, _PATIENCE).of(dead.topic).settled:
            return
        where = f"{dead.topic}[{dead.partition}]@{dead.offset}"
        raise OwnUnreadable(f"{where} is ours and cannot be read: {dead.error}. Settle its dead letter (foretick dlq)")

    def close(self) -> None:
        """Stop following."""
        if self._tail is not None:
            self._tail.close()
            self._tail = None
