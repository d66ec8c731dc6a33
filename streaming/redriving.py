"""Settle dead letters: publish what they said once more, or decide that it is not to be heard."""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from contracts.events import Event
from contracts.topics import topic_named
from streaming.codec import Codec, Poison
from streaming.dead_letters import DROPPED, OPEN, REDRIVEN, DeadLetter, decision_headers
from streaming.decoding import misplaced
from streaming.headers import SEQUENCE, headers_for, read_headers
from streaming.publisher import Publisher
from streaming.settings import StreamSettings

REDRIVING_SOURCE = "/foretick/dead-letters"


class CannotSettle(Exception):
    """A letter cannot be settled as asked; the text says why and what to do."""


class Redriver:
    """Redrives and drops dead letters.

    Args:
        now: the time by which messages are stamped.
    """

    def __init__(self, settings: StreamSettings, now: Callable[[], datetime]) -> None:
        self._codec = Codec(settings)
        self._publisher = Publisher(settings, REDRIVING_SOURCE, receipts=True)
        self._now = now

    def redrive(self, letter: DeadLetter, mended: Event | None = None) -> str:
        """Publish a letter's event once more, then settle the letter; return where the event stands now.

        The event goes first: if this is cut off in between, the letter stays open, and doing it again publishes the
        same event twice, which changes nothing.

        Args:
            mended: the event to publish instead of the letter's bytes.

        Raises:
            CannotSettle: it is settled already, or cannot be read still.
            RegistryAway, KafkaAway, PublishFailed: a server is away; do it again.
        """
        _refuse_settled(letter)
        topic = letter.dead.topic
        if mended is None:
            try:
                event = self._codec.decode(topic, letter.dead.value)[1]
            except Poison as poison:
                raise CannotSettle(
                    f"{letter.name} still cannot be read: {poison}. Mend what it needs, or give the event that it "
                    f"should have been: foretick dlq redrive {letter.name} --event FILE"
                ) from poison
            value = letter.dead.value
        else:
            event, value = mended, self._codec.encode(mended)
            if self._codec.decode(topic, value)[1] != event:
                raise CannotSettle(f"{letter.name}: the event given does not read back; do all its times have a zone?")
        moment = self._now()
        if fault := misplaced(event, event.key, moment):
            raise CannotSettle(f"{letter.name}: {fault}. Drop it: foretick dlq drop {letter.name} --reason ...")
        stood = f"{topic}[{letter.dead.partition}]@{letter.dead.offset}"
        original = read_headers(letter.dead.headers)
        own = dict(headers_for(event, REDRIVING_SOURCE, moment))
        headers = own | original | {name: own[name] for name in ("ce_id", "ce_type", "ce_subject", "content-type")}
        headers["foretick_redriven_from"] = stood
        headers.pop(SEQUENCE, None)  # it stands elsewhere now
        partition, offset = self._publisher.deliver(
            topic, value, event.key.encode(), list(headers.items()), int(moment.timestamp() * 1000)
        )
        where = f"{topic}[{partition}]@{offset}"
        self._settle(letter, REDRIVEN, where)
        return where

    def drop(self, letter: DeadLetter, reason: str) -> None:
        """Settle a letter without publishing anything; raises as `redrive` does."""
        _refuse_settled(letter)
        self._settle(letter, DROPPED, reason)

    def _settle(self, letter: DeadLetter, state: str, note: str) -> None:
        topic = topic_named(letter.dead.topic)
        self._publisher.deliver(topic.dlq, None, letter.dead.key, decision_headers(letter, state, note))


def read_event(topic: str, text: str | bytes) -> Event:
    """Read an event of a topic from JSON, as `foretick dlq show` and `foretick topics` print it.

    Raises:
        CannotSettle: it is no such event; the text says in what.
    """
    kind = topic_named(topic).event
    try:
        names = {field.name for field in fields(kind)}
        if unknown := sorted({*json.loads(text)} - names):
            raise CannotSettle(f"a {kind.__name__} has no {', '.join(unknown)}; it has {', '.join(sorted(names))}")
        event: Event = TypeAdapter(kind).validate_json(text)
    except json.JSONDecodeError as error:
        raise CannotSettle(f"this is no JSON: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise CannotSettle(f"this is no {kind.__name__}: {faults}") from error
    except TypeError as error:  # times with and without a zone were compared
        raise CannotSettle(f"this is no {kind.__name__}: {error}; times are RFC 3339 with a zone") from error
    return event


def _refuse_settled(letter: DeadLetter) -> None:
    if letter.state != OPEN:
        raise CannotSettle(f"{letter.name} is settled already: {letter.state}, {letter.note}")
