"""The checker of histories: nothing is wrong with a right one, and each kind of wrong is named."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

from tests.support.histories import (
    Anomaly,
    Entry,
    Heard,
    History,
    Joined,
    Log,
    Missed,
    Operation,
    Read,
    Sent,
    anomalies,
)

PLACE = ("stock-data", 0)
ENTRIES = [Entry(f"W|{number // 2}", number % 2, f"value {number}") for number in range(6)]  # each key twice
LOG: Log = {PLACE: dict(enumerate(ENTRIES))}


def sent(number: int, at: float | None = None) -> Sent:
    began = number if at is None else at
    return Sent("writer", began, began + 0.5, ENTRIES[number], PLACE, number)


def heard(number: int) -> Heard:
    return Heard("ear", number, PLACE, number, ENTRIES[number])


def read(number: int, *, began: float = 10.0, first: str = "") -> Read:
    """Return a right answer that includes the first `number` events."""
    found = {entry.key: entry for entry in ENTRIES[:number] if entry.key >= first}
    asked = {PLACE: max(0, number - 1)}
    return Read("reader", began, began + 0.5, "W|", first, asked, {PLACE: number}, found)


def wrong(*operations: Operation, log: Log = LOG, complete: bool = False) -> list[Anomaly]:
    return anomalies(History([*operations]), log, senders="W|", complete=complete)


def kinds(*operations: Operation, log: Log = LOG, complete: bool = False) -> list[str]:
    return sorted({each.kind for each in wrong(*operations, log=log, complete=complete)})


ALL_SENT = [sent(number) for number in range(6)]
JOINED = Joined("ear", 0.0, {PLACE: 0})


def test_nothing_is_wrong_with_what_happens_in_a_sound_system() -> None:
    unknown = replace(ALL_SENT[3], place=None, offset=-1)  # never acknowledged, and yet there
    lost_for_good = Sent("writer", 7, 8, Entry("W|9", 0, "never there"))
    some = [JOINED, heard(0), heard(1), Joined("ear", 2, {PLACE: 2}), Missed("ear", 2, PLACE, 2, 3), heard(4), heard(5)]
    reads = [read(2, began=3.0), read(4, began=5.0), read(4, began=5.2), read(6, first="W|1")]
    assert wrong(*ALL_SENT[:3], unknown, *ALL_SENT[4:], lost_for_good, *some, *reads, complete=True) == []


def test_acknowledged_write_that_is_not_where_it_was_promised_is_lost() -> None:
    without = {PLACE: {offset: entry for offset, entry in LOG[PLACE].items() if offset != 3}}
    assert kinds(*ALL_SENT, log=without) == ["lost"]


def test_event_at_two_offsets_is_a_duplicate() -> None:
    assert kinds(*ALL_SENT, log={PLACE: {**LOG[PLACE], 9: ENTRIES[2]}}) == ["duplicate"]


def test_event_that_nobody_sent_is_a_phantom() -> None:
    assert kinds(*ALL_SENT[:5]) == ["phantom"]
    assert kinds(*ALL_SENT[:5], replace(ALL_SENT[5], entry=Entry("W|2", 1, "other"), place=None)) == ["phantom"]


def test_writes_of_one_sender_that_swap_places_are_reordered() -> None:
    assert kinds(sent(1, at=0.0), sent(0, at=1.0), *ALL_SENT[2:]) == ["reordered"]
    overlapping = replace(sent(0), began=0.2, ended=0.9)
    assert kinds(sent(1, at=0.0), overlapping, *ALL_SENT[2:]) == []


def test_socket_that_skips_repeats_swaps_or_invents_is_caught() -> None:
    assert kinds(*ALL_SENT, JOINED, heard(0), heard(2)) == ["lost"]
    assert kinds(*ALL_SENT, JOINED, heard(0), heard(1), Joined("ear", 2, {PLACE: 1}), heard(1)) == ["duplicate"]
    assert kinds(*ALL_SENT, JOINED, heard(1), heard(0)) == ["reordered"]
    assert kinds(*ALL_SENT, JOINED, replace(heard(0), entry=ENTRIES[1])) == ["phantom"]


def test_socket_that_had_the_time_must_have_heard_the_end() -> None:
    told = [JOINED, *map(heard, range(5))]
    assert kinds(*ALL_SENT, *told) == []
    assert kinds(*ALL_SENT, *told, complete=True) == ["lost"]


def test_list_that_lacks_what_it_claims_to_include_is_caught() -> None:
    right = read(4)
    assert kinds(*ALL_SENT, replace(right, found={"W|0": ENTRIES[1]})) == ["lost"]
    assert kinds(*ALL_SENT, replace(right, found={**right.found, "W|1": ENTRIES[2]})) == ["stale"]
    assert kinds(*ALL_SENT, replace(right, found={**right.found, "W|1": Entry("W|1", 1, "other")})) == ["phantom"]
    assert kinds(*ALL_SENT, replace(right, position={PLACE: 7})) == ["lost", "phantom"]


def test_list_that_ignores_what_was_acknowledged_is_stale() -> None:
    assert kinds(*ALL_SENT, replace(read(4), asked={PLACE: 5})) == ["stale"]


def test_list_that_goes_back_in_time_is_stale() -> None:
    assert kinds(*ALL_SENT, read(6, began=1.0), read(4, began=2.0)) == ["stale"]
    shown = replace(read(2), began=1.0, ended=1.5, position={PLACE: 0}, asked={})
    gone = replace(shown, began=2.0, ended=2.5, found={"W|0": ENTRIES[0]})
    assert kinds(*ALL_SENT, shown, gone) == ["stale"]


def test_history_is_written_as_lines_that_say_all(tmp_path: Path) -> None:
    operations = [ALL_SENT[0], JOINED, heard(0), Missed("ear", 2, PLACE, 2, 3), read(2)]
    History(operations).write(tmp_path / "history.jsonl.gz")
    rows = [json.loads(line) for line in gzip.decompress((tmp_path / "history.jsonl.gz").read_bytes()).splitlines()]
    assert [row["operation"] for row in rows] == ["Sent", "Joined", "Heard", "Missed", "Read"]
    assert rows[0]["entry"] == ["W|0", 0, "value 0"]
    assert rows[4]["position"] == {"stock-data[0]": 2}
    assert rows[4]["found"] == {"W|0": ["W|0", 1, "value 1"]}
