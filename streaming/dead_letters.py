"""Dead letters and what became of them: a fold of the dead-letter topic, which holds both.

A decision on a letter (redriven, dropped) is one more message of the same topic, without bytes and with the header
`foretick_decision`: so the state of all letters can be had again from the log at any time, as every other state.
A letter that is settled is dead for ever: whoever folds the log passes over the original message, even if it can be
read by now, because what it said stands elsewhere in the log (redriven) or is not to be heard (dropped).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from contracts.topics import Topic, topic_named
from streaming.decoding import Settled, own_time
from streaming.headers import RawHeaders, raw_headers
from streaming.ranges import messages, watermarks
from streaming.records import DeadRecord
from streaming.settings import StreamSettings

OPEN, REDRIVEN, DROPPED = "OPEN", "REDRIVEN", "DROPPED"

_COORDINATES = ("foretick_topic", "foretick_partition", "foretick_offset", "foretick_error", "foretick_schema_id")


class UnknownLetter(Exception):
    """There is no such dead letter; the text says where to look."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be read, and what became of it.

    Args:
        number: its offset in the dead-letter topic.
        times: how often it was buried: readers that begin again may do it again.
        note: why it was dropped, or where it was redriven to.
    """

    dead: DeadRecord
    number: int
    buried_at: datetime
    times: int = 1
    state: str = OPEN
    decided_at: datetime | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """Return what an operator calls it: `stock-data/17`."""
        return f"{self.dead.topic}/{self.number}"

    @property
    def place(self) -> tuple[str, int, int]:
        """Return the coordinates of the original message."""
        return self.dead.topic, self.dead.partition, self.dead.offset


def letter_headers(dead: DeadRecord) -> list[tuple[str, str | bytes | None]]:
    """Return the headers of a dead letter: the original's, then where it stood and what was wrong."""
    schema_id = "" if dead.schema_id is None else str(dead.schema_id)
    texts = (dead.topic, str(dead.partition), str(dead.offset), dead.error, schema_id)
    return [*dead.headers, *((name, text.encode()) for name, text in zip(_COORDINATES, texts, strict=True))]


def decision_headers(letter: DeadLetter, state: str, note: str) -> list[tuple[str, str | bytes | None]]:
    """Return the headers of a decision on a letter."""
    return [
        ("foretick_decision", state),
        ("foretick_letter", str(letter.number)),
        ("foretick_note", note.encode()),
        *((name, str(part)) for name, part in zip(_COORDINATES, letter.place, strict=False)),
    ]


class DeadLetterFold:
    """The letters of one topic, by number."""

    def __init__(self) -> None:
        self.by_number: dict[int, DeadLetter] = {}
        self._known: dict[tuple[tuple[str, int, int], bytes], int] = {}

    def fold(self, number: int, moment: datetime, key: bytes | None, value: bytes | None, raw: RawHeaders) -> None:
        """Take in one message of the dead-letter topic; one that is neither letter nor decision is passed over."""
        headers = raw_headers(raw)
        told = {name: text.decode("utf-8", "backslashreplace") for name, text in headers}
        if state := told.get("foretick_decision"):
            held = self.by_number.get(int(told["foretick_letter"]))
            if held is not None and held.state == OPEN:  # of two decisions the first
                settled = replace(held, state=state, decided_at=moment, note=told["foretick_note"])
                self.by_number[held.number] = settled
            return
        if "foretick_topic" not in told:
            return
        dead = DeadRecord(
            topic=told["foretick_topic"],
            partition=int(told["foretick_partition"]),
            offset=int(told["foretick_offset"]),
            key=key,
            value=value,
            headers=tuple((name, text) for name, text in headers if name not in _COORDINATES),
            error=told["foretick_error"],
            schema_id=int(told["foretick_schema_id"]) if told["foretick_schema_id"] else None,
        )
        letter = DeadLetter(dead, number, moment)
        same = (letter.place, payload_fingerprint(value))
        if (first := self._known.setdefault(same, number)) != number:
            self.by_number[first] = replace(self.by_number[first], times=self.by_number[first].times + 1)
        else:
            self.by_number[number] = letter

    def holds(self, dead: DeadRecord) -> bool:
        """Tell whether this very message was buried already."""
        return ((dead.topic, dead.partition, dead.offset), payload_fingerprint(dead.value)) in self._known

    @property
    def open(self) -> list[DeadLetter]:
        """Return the letters on which nothing was decided yet, oldest first."""
        return [letter for letter in self.by_number.values() if letter.state == OPEN]

    @property
    def settled(self) -> Settled:
        """Return the messages that are dead for good."""
        return {
            letter.place: payload_fingerprint(letter.dead.value)
            for letter in self.by_number.values()
            if letter.state != OPEN
        }


class DeadLetters:
    """Reads the letters of topics, each message of theirs once."""

    def __init__(self, settings: StreamSettings, timeout: float = 10.0) -> None:
        self._settings = settings
        self._timeout = timeout
        self._letters: dict[str, tuple[int, DeadLetterFold]] = {}  # next number to read, letters

    def of(self, topic: Topic | str) -> DeadLetterFold:
        """Return the letters of a topic as they are now.

        Raises:
            KafkaAway: the broker does not answer, or there is no dead-letter topic.
        """
        name = topic if isinstance(topic, str) else topic.name
        dlq = topic_named(name).dlq
        low, high = watermarks(self._settings, dlq, self._timeout)[0]  # dead-letter topics have one partition
        start, letters = self._letters.get(name, (low, DeadLetterFold()))
        if start > high or start < low:  # made again, or cut off by retention
            start, letters = low, DeadLetterFold()
        for _, number, message in messages(self._settings, dlq, {0: start}, {0: high}, timeout=self._timeout):
            key = message.key()
            letters.fold(
                number,
                own_time(message),
                key.encode() if isinstance(key, str) else key,
                message.value(),
                message.headers(),
            )
        self._letters[name] = (high, letters)
        return letters

    def named(self, name: str) -> DeadLetter:
        """Return a letter by its name, such as `stock-data/17`.

        Raises:
            UnknownLetter: there is none.
            KafkaAway: the broker does not answer.
        """
        topic, _, number = name.rpartition("/")
        topic = topic.removesuffix(".dlq")
        try:
            return self.of(topic).by_number[int(number)]
        except (KeyError, ValueError):
            hint = "`foretick dlq list --all` names those there are, as `stock-data/17`"
            raise UnknownLetter(f"there is no dead letter {name!r}: {hint}") from None


def payload_fingerprint(value: bytes | None) -> bytes:
    """Return the SHA-256 of a message's bytes."""
    return sha256(value or b"").digest()
