"""What the log already holds of bars and corporate actions: the producers' own state, folded from their topics."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache, partial

from contracts.events import BarClosed
from contracts.topics import CORPORATE_ACTIONS, STOCK_DATA
from producers.known import Known, LedgerPart
from producers.reports import Sound
from producers.settings import ProducerSettings
from streaming.catching_up import KafkaLog
from streaming.dead_letters import DeadLetters
from streaming.errors import KafkaAway, StoreAway
from streaming.headers import source_of
from streaming.reader import Tail
from streaming.records import DeadRecord, Record
from streaming.saved_state import SavedState, Verified, folding_code

PRODUCERS_SOURCE = "/foretick/producers"
_TOPICS = (STOCK_DATA, CORPORATE_ACTIONS)
_PATIENCE = 5.0  # seconds; whoever folds tries again, and wants to hear of a stop in between


class OwnUnreadable(KafkaAway):
    """What the producers wrote themselves cannot be read: without it they would publish again what is in the log."""


class Ledger:
    """Folds the two topics that the producers write, and follows them: `foretick ingest` may write beside us.

    What grows with the log is saved with its position: a restart folds only what came since.

    Attributes:
        last: the newest `closed_at` by symbol and interval.
    """

    def __init__(self, settings: ProducerSettings) -> None:
        self._settings = settings
        self._state: SavedState[LedgerPart] | None = None
        self._tail: Tail | None = None
        self._folded = False
        self.last: dict[tuple[str, str], datetime] = {}

    def fold_log(self) -> int:
        """Fold the topics from where the saved state ends; return the number of events.

        Raises:
            KafkaAway, RegistryAway: a server does not answer.
            OwnUnreadable: an event of ours cannot be read, and its dead letter is not settled.
            SchemaLost: the registry has lost the schema of one.
        """
        self.close()
        try:
            self._state = self._opened()
            events, ends = self._state.catch_up()
            self._tail = Tail(self._settings, _TOPICS, ends, self._pass_over)
        except BaseException:
            self.close()
            raise
        self.last = {series: at for part in self._state.parts.values() for series, at in part.newest()}
        self._folded = True
        return events

    def follow(self) -> None:
        """Fold what has come since, whoever wrote it.

        Raises:
            KafkaAway, RegistryAway: the log had to be folded again, and a server does not answer.
            OwnUnreadable: an event of ours cannot be read; the log is folded again with the next call.
        """
        if self._tail is not None:
            self._take(iter(partial(self._tail.poll, 0), []))
        elif self._folded:
            self.fold_log()

    def catch_up(self) -> None:
        """Fold all that is in the log now.

        Raises:
            KafkaAway: the broker does not answer.
            OwnUnreadable: as `follow`.
        """
        if self._tail is not None:
            self._take(self._tail.rest(_PATIENCE))
        elif self._folded:
            self.fold_log()

    def note(self, bar: BarClosed) -> None:
        """Take note of when a bar closed that is in the log, or will be read from it next."""
        series = (bar.symbol, bar.interval)
        self.last[series] = max(self.last.get(series, bar.closed_at), bar.closed_at)

    def known(self, symbol: str, interval: str, sound: Sound) -> Known:
        """Return what the log holds of a symbol: its actions, and its bars of the time that a report speaks of.

        Nothing, where no log was folded.
        """
        known = Known()
        closes = [bar.event.closed_at for bar in sound.closed]
        span = (closes[0], closes[-1]) if closes else (None, None)
        for part in self._state.parts.values() if self._state else ():
            part.tell(known, symbol, interval, *span)
        return known

    def sequences(self, number: int) -> dict[str, int]:
        """Return the sequence number of the next event to append to a partition number, by topic."""
        assert self._state is not None
        return self._state.sequences(number)

    def verify(self) -> Iterator[Verified]:
        """Fold the log again beside the saved state; tell of each partition whether both are the same.

        Raises:
            KafkaAway, RegistryAway, SchemaLost: as `fold_log`.
        """
        state = self._opened()
        try:
            yield from state.verify()
        finally:
            state.close()

    def close(self) -> None:
        """Stop following."""
        if self._tail is not None:
            self._tail.close()
        if self._state is not None:
            self._state.close()
        self._tail = self._state = None

    def _opened(self) -> SavedState[LedgerPart]:
        folder = self._settings.home / "state" / f"{self._settings.topic_prefix}producers"
        readable = KafkaLog(self._settings, self._pass_over, _PATIENCE)
        state = SavedState(readable, folder, _TOPICS, LedgerPart, _code())
        state.take()
        return state

    def _take(self, batches: Iterable[Sequence[Record]]) -> None:
        assert self._state is not None
        try:
            for records in batches:
                self._state.fold(records)
                for event in (record.event for record in records):
                    if isinstance(event, BarClosed):
                        self.note(event)
        except (OwnUnreadable, StoreAway):
            self.close()  # what came beside it would be missed
            raise

    def _pass_over(self, dead: DeadRecord) -> None:
        """Let go of what others wrote, and of what an operator has settled."""
        if source_of(dead.headers) != PRODUCERS_SOURCE:
            return
        if (dead.topic, dead.partition, dead.offset) in DeadLetters(self._settings, _PATIENCE).of(dead.topic).settled:
            return
        where = f"{dead.topic}[{dead.partition}]@{dead.offset}"
        raise OwnUnreadable(f"{where} is ours and cannot be read: {dead.error}. Settle its dead letter (foretick dlq)")


@cache
def _code() -> str:
    """Return the hash of the code by which a state is what it is."""
    return folding_code(producers=("actions.py", "bars.py", "known.py"))
