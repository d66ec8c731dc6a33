"""The fold of a dead-letter topic: letters, repetitions, decisions."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.events import BarClosed
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from stack.commands.topics import event_text
from streaming.dead_letters import (
    DROPPED,
    OPEN,
    REDRIVEN,
    DeadLetterFold,
    decision_headers,
    letter_headers,
    payload_fingerprint,
)
from streaming.records import DeadRecord
from streaming.redriving import CannotSettle, read_event

NOW = datetime(2012, 1, 3, tzinfo=UTC)
DEAD = DeadRecord(STOCK_DATA.name, 3, 17, b"AAPL", b"\x01poison", (("ce_id", b"one"),), "magic byte 1", None)


def folded(*dead: DeadRecord) -> DeadLetterFold:
    letters = DeadLetterFold()
    for number, each in enumerate(dead):
        letters.fold(number, NOW, each.key, each.value, letter_headers(each))
    return letters


def settle(letters: DeadLetterFold, number: int, state: str, note: str = "why") -> None:
    letter = letters.by_number[number]
    letters.fold(99, NOW, letter.dead.key, None, decision_headers(letter, state, note))


def test_letter_reads_back_as_it_was_buried():
    (letter,) = folded(DEAD, replace(DEAD, schema_id=0)).by_number.values()
    assert letter.dead == DEAD
    assert (letter.state, letter.name, letter.times) == (OPEN, "stock-data/0", 2)


def test_letter_of_the_same_place_with_other_bytes_is_another_one():
    letters = folded(DEAD, replace(DEAD, value=b"\x01of a topic made again"))
    assert len(letters.open) == 2
    assert letters.holds(DEAD)
    assert not letters.holds(replace(DEAD, value=b"unseen"))


@pytest.mark.parametrize("state", [REDRIVEN, DROPPED])
def test_decision_settles_its_letter_for_good_even_if_it_is_buried_again(state):
    letters = folded(DEAD, replace(DEAD, offset=18))
    settle(letters, 0, state)
    settle(letters, 0, "OTHER")
    letters.fold(100, NOW, DEAD.key, DEAD.value, letter_headers(DEAD))
    assert (letters.by_number[0].state, letters.by_number[0].note) == (state, "why")
    assert [letter.number for letter in letters.open] == [1]
    assert letters.settled == {("stock-data", 3, 17): payload_fingerprint(DEAD.value)}


def test_message_that_is_neither_letter_nor_decision_is_passed_over():
    letters = DeadLetterFold()
    letters.fold(0, NOW, None, b"?", [("other", b"header")])
    assert letters.by_number == {}


def test_read_event_takes_what_is_shown_and_says_what_is_wrong():
    import json

    record = sample(BarClosed).to_record()
    text = json.dumps(record, default=event_text)
    assert read_event("stock-data", text) == sample(BarClosed)
    for wrong, said in (
        ({**record, "low": 1e9}, "low"),
        ({**record, "closee": 1.0}, "no closee"),
        ({name: value for name, value in record.items() if name != "close"}, "close: Field required"),
    ):
        with pytest.raises(CannotSettle, match=said):
            read_event("stock-data", json.dumps(wrong, default=event_text))
    with pytest.raises(CannotSettle, match="no JSON"):
        read_event("stock-data", "{")
