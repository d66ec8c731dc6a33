"""Changed meanings: an older version's records are said again in the newest one's terms, wherever they are read."""

import pytest

from contracts import goldens, upcasters
from contracts.events import BarClosed
from contracts.topics import TOPICS
from contracts.versions import newest, versions

NEWEST = {topic.event.__name__: newest(topic.event).version for topic in TOPICS}


def test_registered_upcasters_are_of_released_versions_that_have_a_next_one() -> None:
    assert [key for key in upcasters.UPCASTERS if not 1 <= key[1] < NEWEST.get(key[0], 0)] == []


def test_upcaster_of_a_history_says_each_older_golden_in_the_newest_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if version 1 had counted volume in lots of a hundred.
    lots = {("BarClosed", 1): lambda record: {**record, "volume": record["volume"] * 100}}
    plain = [
        goldens.decode_golden(BarClosed, each, goldens.golden_bytes(BarClosed, each.version))
        for each in versions(BarClosed)
    ]
    monkeypatch.setattr(upcasters, "UPCASTERS", lots)
    raised = [
        goldens.decode_golden(BarClosed, each, goldens.golden_bytes(BarClosed, each.version))
        for each in versions(BarClosed)
    ]
    assert raised[0].volume == plain[0].volume * 100
    assert raised[1:] == plain[1:]


def test_upcasters_of_several_versions_are_applied_in_order_from_the_records_own_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = {("Other", 1): None} | {
        ("Bar", number): lambda record, number=number: {"seen": [*record["seen"], number]} for number in (3, 1, 2)
    }
    monkeypatch.setattr(upcasters, "UPCASTERS", steps)
    told = {version: upcasters.upcaster_from("Bar", version) for version in (1, 2, 3, 4)}
    assert told[4] is None
    assert [told[version]({"seen": []})["seen"] for version in (1, 2, 3)] == [[1, 2, 3], [2, 3], [3]]
