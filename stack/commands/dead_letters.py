"""Show dead letters, redrive and drop them."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.ids import stamp
from contracts.topics import TOPICS, Topic
from stack.commands.topics import event_text, topic_of_name
from streaming.clock import Clock, clock_from
from streaming.codec import Codec, Poison
from streaming.dead_letters import OPEN, DeadLetter, DeadLetters
from streaming.headers import read_headers
from streaming.redriving import CannotSettle, Redriver, read_event
from streaming.settings import StreamSettings

_SHOWN_BYTES = 256


def dead_letter_topics(name: str) -> tuple[Topic, ...]:
    """Return the topic of a name, with or without `.dlq`; all of them for an empty one.

    Raises:
        NoSuchTopic: there is none.
    """
    return (topic_of_name(name.removesuffix(".dlq")),) if name else TOPICS


def print_list(settings: StreamSettings, topics: Sequence[Topic], everything: bool, console: Console) -> None:
    """Print one row a letter, oldest first."""
    found = DeadLetters(settings)
    codec = Codec(settings)
    letters = [letter for topic in topics for letter in found.of(topic).by_number.values()]
    shown = [letter for letter in letters if everything or letter.state == OPEN]
    if shown:
        table = Table(title=f"Dead letters in Kafka at {settings.kafka}", title_justify="left")
        for column in ("letter", "stood at", "buried", "key", "schema", "bytes", "state", "readable now", "reason"):
            table.add_column(column, justify="right" if column in ("schema", "bytes") else "left")
        for letter in shown:
            table.add_row(*_row(codec, letter))
        console.print(table)
    settled = len(letters) - sum(letter.state == OPEN for letter in letters)
    hint = "" if everything or not settled else " (--all shows them)"
    console.print(f"{len(letters) - settled} open, {settled} settled{hint}.")


def _row(codec: Codec, letter: DeadLetter) -> list[str | Text]:
    dead = letter.dead
    readable: str | Text = ""
    if letter.state == OPEN:
        readable = Text("no", "red") if _fault(codec, letter) else Text("yes", "green")
    note = f" -> {letter.note}" if letter.note else ""
    return [
        letter.name,
        f"{dead.topic}[{dead.partition}]@{dead.offset}",
        stamp(letter.buried_at.replace(microsecond=0)),
        (dead.key or b"").decode("utf-8", "backslashreplace"),
        "" if dead.schema_id is None else str(dead.schema_id),
        str(len(dead.value or b"")),
        Text(letter.state, "yellow" if letter.state == OPEN else ""),
        readable,
        dead.error + note,
    ]


def _fault(codec: Codec, letter: DeadLetter) -> str:
    """Say why a letter's bytes cannot be read; empty where they can be by now."""
    try:
        codec.decode(letter.dead.topic, letter.dead.value)
    except Poison as poison:
        return str(poison)
    return ""


def print_letter(settings: StreamSettings, letter: DeadLetter, console: Console) -> None:
    """Print all that is known of a letter."""
    dead, codec = letter.dead, Codec(settings)
    value = dead.value or b""
    fault = _fault(codec, letter)
    lines = {
        "letter": letter.name,
        "stood at": f"{dead.topic}[{dead.partition}]@{dead.offset}",
        "buried": stamp(letter.buried_at) + (f", {letter.times} times" if letter.times > 1 else ""),
        "reason": dead.error,
        "schema id": "" if dead.schema_id is None else str(dead.schema_id),
        "key": (dead.key or b"").decode("utf-8", "backslashreplace"),
        "state": letter.state + (f", {stamp(letter.decided_at)}: {letter.note}" if letter.decided_at else ""),
        "readable now": f"no: {fault}" if fault else "yes",
        **{f"header {name}": text for name, text in read_headers(dead.headers).items()},
        "bytes": f"{len(value)}: {value[:_SHOWN_BYTES].hex(' ')}{' ...' if len(value) > _SHOWN_BYTES else ''}",
    }
    for name, text in lines.items():
        console.print(f"{name + ':':<24}{text}")
    if (event := _event_text(codec, letter)) is not None:
        console.print_json(event)


def print_event(settings: StreamSettings, letter: DeadLetter, console: Console) -> None:
    """Print a letter's event as JSON, even if it breaks an invariant.

    Raises:
        CannotSettle: nothing can be read.
    """
    text = _event_text(Codec(settings), letter)
    if text is None:
        raise CannotSettle(f"{letter.name}: no event can be read from its bytes; write it by hand")
    console.out(text)


def _event_text(codec: Codec, letter: DeadLetter) -> str | None:
    try:
        record = codec.decode_record(letter.dead.topic, letter.dead.value)[1]
    except Poison:
        return None
    return json.dumps(record, default=event_text, indent=2)


def _clock(settings: StreamSettings) -> Clock:
    """Return the clock, read once: where it is silent nothing is decided, not a part of it."""
    clock = clock_from(settings)
    clock.now()
    return clock


def redrive_letters(settings: StreamSettings, names: Sequence[str], file: Path | None, console: Console) -> int:
    """Redrive letters by name, or every one that can be read now; return 1 if any could not be.

    Raises:
        UnknownLetter, CannotSettle: nothing was done for this letter and those after it.
    """
    found, codec = DeadLetters(settings), Codec(settings)
    redriver = Redriver(settings, _clock(settings).now)
    if names:
        letters = [found.named(name) for name in names]
    else:
        letters = [letter for topic in TOPICS for letter in found.of(topic).open]
    mended = read_event(letters[0].dead.topic, file.read_bytes()) if file else None
    left = 0
    for letter in letters:
        if not names and (fault := _fault(codec, letter)):
            left += 1
            console.print(f"{letter.name} was left: {fault}")
            continue
        console.print(f"{letter.name} -> {redriver.redrive(letter, mended)}")
    if not letters:
        console.print("There are no open dead letters.")
    return 1 if left else 0


def drop_letters(settings: StreamSettings, names: Sequence[str], reason: str, console: Console) -> None:
    """Drop letters by name; raises as `redrive` does."""
    found = DeadLetters(settings)
    redriver = Redriver(settings, _clock(settings).now)
    for letter in [found.named(name) for name in names]:
        redriver.drop(letter, reason)
        console.print(f"{letter.name} dropped")
